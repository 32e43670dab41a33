package results

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// busy makes up a run of a register with n calls, ten workers on five nodes,
// and four kinds of fault, one of them not verified. It is the same each time.
type busy struct {
	rng  *rand.Rand
	h    fallacy.History
	span time.Duration
}

type busyFault struct {
	nemesis, damage, evidence, trouble string
	from, to                           float64 // of the run
	nodes                              []int   // that suffer
}

var busyFaults = []busyFault{
	{"partition:halves", `{"n1":{"links":{"n3":{"cut":true},"n4":{"cut":true},"n5":{"cut":true}}},"n2":{"links":{"n3":{"cut":true},"n4":{"cut":true},"n5":{"cut":true}}},"n3":{"links":{"n1":{"cut":true},"n2":{"cut":true}}},"n4":{"links":{"n1":{"cut":true},"n2":{"cut":true}}},"n5":{"links":{"n1":{"cut":true},"n2":{"cut":true}}}}`, `{"open_links":8,"closed_links":["n1-n3","n1-n4","n1-n5","n2-n3"]}`, "", 0.15, 0.30, []int{0, 1}},
	{"kill:minority", `{"n2":{"process":"killed"}}`, `{"process":{"n2":"killed, process 0, start 1"}}`, "", 0.36, 0.43, []int{1}},
	{"pause:leader", `{"n4":{"process":"paused"}}`, `{"process":{"n4":"paused, process 4242, start 1"}}`, "", 0.475, 0.55, []int{3}},
	{"clock:step", `{"n3":{"clock":{"offset_ns":1840000000}},"n5":{"clock":{"drift_ppm":-250000}}}`, `{"skew_ns":{"n3":1840020000,"n5":-250300000}}`, "", 0.51, 0.725, nil},
	{"partition:one-way", `{"n1":{"links":{"n3":{"cut":true}}},"n2":{"links":{"n3":{"cut":true}}},"clients":{"links":{"n3":{"delay_ns":20000000,"jitter_ns":5000000}}}}`, `{"open_links":18}`, "", 0.62, 0.74, []int{2}},
	{"kill:majority", `{"n4":{"process":"killed"},"n5":{"process":"killed"}}`, `{"process":{"n4":"killed","n5":"killed"}}`, "", 0.78, 0.83, []int{3, 4}},
	{"clock:strobe", `{"n5":{"clock":{"offset_ns":400000000,"strobe_ns":50000000}}}`, ``, "verify: no process whose clock was skewed is running", 0.80, 0.845, nil},
}

func busyHistory(n int, span time.Duration) fallacy.History {
	b := &busy{rng: rand.New(rand.NewPCG(7, 11)), span: span}
	for i := range busyFaults {
		b.fault(&busyFaults[i])
	}
	const workers = 10
	for w := range workers {
		b.worker(w, workers, n/workers)
	}
	slices.SortStableFunc(b.h, func(x, y fallacy.Op) int { return int(x.Time - y.Time) })
	for i := range b.h {
		b.h[i].Index = i
	}
	return b.h
}

func (b *busy) at(share float64) time.Duration { return time.Duration(share * float64(b.span)) }

func (b *busy) fault(f *busyFault) {
	op := func(at time.Duration, t fallacy.Type, what string, v fallacy.Value, err string) {
		b.h = append(b.h, fallacy.Op{Time: at, Process: fallacy.NemesisProcess, Nemesis: f.nemesis, Type: t, F: what, Value: v, Error: err})
	}
	damage, err := fallacy.ParseValue([]byte(f.damage))
	if err != nil {
		panic(err)
	}
	fields := []fallacy.Field{{Name: "damage", Value: damage}}
	if f.evidence != "" {
		seen, err := fallacy.ParseValue([]byte(f.evidence))
		if err != nil {
			panic(err)
		}
		fields = append(fields, fallacy.Field{Name: "evidence", Value: seen})
	}
	const ms = time.Millisecond
	op(b.at(f.from), fallacy.Invoke, "inject", fallacy.Nil(), "")
	op(b.at(f.from)+9*ms, fallacy.Info, "inject", fallacy.Object(fields...), f.trouble)
	op(b.at(f.to), fallacy.Invoke, "heal", fallacy.Nil(), "")
	op(b.at(f.to)+11*ms, fallacy.Info, "heal", fallacy.Nil(), "")
}

func (b *busy) under(node int, at time.Duration) string {
	for _, f := range busyFaults {
		if at > b.at(f.from) && at < b.at(f.to) && slices.Contains(f.nodes, node) {
			return f.nemesis[:4]
		}
	}
	return ""
}

func (b *busy) worker(w, workers, n int) {
	node := w / 2
	process := w
	at := time.Duration(b.rng.Int64N(int64(b.span)/int64(n) + 1))
	think := float64(b.span) / float64(n)
	for i := range n {
		key := fallacy.String(fmt.Sprint("k", b.rng.IntN(8)))
		f, arg, seen := "read", fallacy.Nil(), fallacy.Int(i)
		switch u := b.rng.Float64(); {
		case u > 0.86:
			f, arg = "cas", fallacy.Ints(i, i+1)
			seen = arg
		case u > 0.52:
			f, arg = "write", fallacy.Int(i*workers+w)
			seen = arg
		}
		took := min(time.Duration(float64(4*time.Millisecond)*b.rng.ExpFloat64())+300*time.Microsecond, time.Duration(think*0.8))
		t, problem := fallacy.OK, ""
		switch b.under(node, at) {
		case "kill":
			t, took, problem = fallacy.Fail, 300*time.Microsecond, "dial tcp 127.0.0.1:7102: connect: connection refused"
		case "part", "paus":
			if b.rng.IntN(3) > 0 {
				t, took, problem = fallacy.Info, b.span/40, "context deadline exceeded"
			}
		}
		name := fmt.Sprint("n", node+1)
		b.h = append(b.h, fallacy.Op{Time: at, Process: process, Type: fallacy.Invoke, F: f, Value: fallacy.Tuple(key, arg), Node: name})
		if t != fallacy.OK {
			seen = arg
		}
		b.h = append(b.h, fallacy.Op{Time: at + took, Process: process, Type: t, F: f, Value: fallacy.Tuple(key, seen), Node: name, Error: problem})
		if t == fallacy.Info {
			process += workers
		}
		if at += max(took, time.Duration(think*(0.5+b.rng.Float64()))); at > b.span {
			return
		}
	}
}

func busyRun() Run {
	run := storyRun()
	run.Nodes, run.Concurrency = []string{"n1", "n2", "n3", "n4", "n5"}, 10
	run.Promise = "each key behaves as one linearizable register"
	run.Command = []string{"fallacy", "run", "refstore/register", "--bug", "stale-read", "--faults", "partition,kill,pause,clock", "--time", "20s", "--seed", "4242"}
	return run
}
