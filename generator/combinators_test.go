package generator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/generator"
)

func op(f string) fallacy.Generator { return generator.Op(f, fallacy.Nil()) }

func ops(f string) fallacy.Generator { return generator.Repeat(op(f)) }

// plan returns what was invoked and noted, as "f@time", without who did it.
func plan(h fallacy.History) string {
	var words []string
	for _, op := range h {
		if op.Type == fallacy.Invoke || op.F == "log" {
			words = append(words, fmt.Sprintf("%s@%v", op.F, op.Time))
		}
	}
	return strings.Join(words, " ")
}

const s = time.Second

// The worlds of the table.
var (
	one      = generator.World{Workers: 1, MaxOps: 6, MaxTime: time.Minute}
	two      = generator.World{Workers: 2, MaxOps: 6, MaxTime: time.Minute}
	failing  = generator.World{Workers: 1, MaxOps: 6, MaxTime: time.Minute, Answer: generator.Failing}
	crashing = generator.World{Workers: 1, MaxOps: 6, MaxTime: time.Minute, Answer: generator.Crashing}
	faults   = generator.World{Workers: 1, Nemeses: []string{"kill", "pause"}, MaxOps: 6, MaxTime: time.Minute, Latency: s}
)

// combinators has, for each combinator, what a plan does in a small world.
var combinators = []struct {
	name string
	g    fallacy.Generator
	w    generator.World
	want string
}{
	{"nothing", generator.Nothing(), one, ""},
	{"op", op("a"), two, "a@0s"},
	{"log", generator.Seq(op("a"), generator.Log("x"), op("b")), one, "a@0s log@0s b@10ns"},

	{"seq of none", generator.Seq(), one, ""},
	{"seq of nothing", generator.Seq(nil, nil), one, ""},
	{"seq skips nothing", generator.Seq(nil, op("a"), nil, op("b"), nil), one, "a@0s b@10ns"},
	{"seq does not wait", generator.Seq(op("a"), op("b")), two, "a@0s b@0s"},
	{"series", generator.Limit(3, generator.Series(func(_ fallacy.Chance, n int) fallacy.Generator {
		return op(fmt.Sprint(n))
	})), one, "0@0s 1@10ns 2@20ns"},
	{"series ends", generator.Series(func(_ fallacy.Chance, n int) fallacy.Generator {
		if n == 2 {
			return nil
		}
		return generator.Limit(2, ops(fmt.Sprint(n)))
	}), one, "0@0s 0@10ns 1@20ns 1@30ns"},

	{"phases wait", generator.Phases(op("a"), op("b")), two, "a@0s b@10ns"},
	{"then waits", generator.Then(op("a"), op("b")), two, "a@0s b@10ns"},
	{"phases of none", generator.Phases(), two, ""},

	{"limit", generator.Limit(2, ops("a")), one, "a@0s a@10ns"},
	{"limit 0", generator.Limit(0, ops("a")), one, ""},
	{"limit above", generator.Limit(9, op("a")), one, "a@0s"},
	{"limit of nothing", generator.Limit(9, nil), one, ""},
	{"limit does not count notes", generator.Limit(1, generator.Seq(generator.Log("x"), op("a"), op("b"))), one, "log@0s a@0s"},
	{"once", generator.Once(ops("a")), one, "a@0s"},
	{"repeat begins anew", generator.Limit(3, generator.Repeat(generator.Seq(op("a"), op("b")))), one, "a@0s a@10ns a@20ns"},
	{"repeat of nothing", generator.Repeat(nil), one, ""},
	{"repeat passes notes", generator.Limit(2, generator.Repeat(generator.Seq(generator.Log("x"), op("a")))), one, "log@0s a@0s log@0s a@10ns"},
	{"repeat sleeps", generator.Limit(3, generator.Repeat(generator.Seq(generator.Sleep(s), op("a")))), one,
		"a@1s a@2.00000001s a@3.00000002s"},
	{"cycle", generator.Limit(3, generator.Cycle(generator.Seq(op("a"), op("b")))), one, "a@0s b@10ns a@20ns"},
	{"cycle of nothing", generator.Cycle(generator.Seq(nil)), one, ""},
	{"cycle sleeps at its end", generator.Limit(2, generator.Cycle(generator.Seq(op("a"), generator.Sleep(s)))), one,
		"a@0s a@1.00000001s"},
	{"times", generator.Times(2, generator.Seq(op("a"), op("b"))), one, "a@0s b@10ns a@20ns b@30ns"},
	{"times 0", generator.Times(0, op("a")), one, ""},

	{"mix of none", generator.Mix(), one, ""},
	{"mix of one", generator.Mix(nil, op("a")), one, "a@0s"},
	{"mix goes on without the exhausted", generator.Limit(2, generator.Mix(nil, ops("a"), nil)), one, "a@0s a@10ns"},
	{"weight 0", generator.Limit(2, generator.Weighted(generator.Weigh(0, ops("a")), generator.Weigh(1, ops("b")))), one, "b@0s b@10ns"},

	{"time limit", generator.TimeLimit(25, ops("a")), one, "a@0s a@10ns a@20ns"},
	{"time limit is exclusive", generator.TimeLimit(20, ops("a")), one, "a@0s a@10ns"},
	{"time limit 0", generator.TimeLimit(0, ops("a")), one, ""},
	{"time limit waits for its end", generator.Seq(generator.TimeLimit(s, generator.Delay(time.Hour, ops("a"))), op("b")), one,
		"a@0s b@1.00000001s"},
	{"time limit of what ends", generator.Seq(generator.TimeLimit(s, op("a")), op("b")), one, "a@0s b@10ns"},
	{"delay", generator.Limit(3, generator.Delay(s, ops("a"))), one, "a@0s a@1s a@2s"},
	{"delay catches up", generator.Limit(4, generator.Delay(s, generator.Seq(op("a"), generator.Sleep(3*s), ops("b")))), one,
		"a@0s b@3.00000001s b@3.00000002s b@3.00000003s"},
	{"sleep", generator.Seq(generator.Sleep(s), generator.Sleep(s), op("a")), one, "a@2s"},
	{"sleep 0", generator.Seq(generator.Sleep(0), op("a")), one, "a@0s"},
	{"sleep begins when somebody is free", generator.Seq(op("a"), generator.Sleep(s), op("b")), one, "a@0s b@1.00000001s"},
	{"sleep occupies nobody", generator.Limit(5, generator.Any(generator.Delay(s, ops("a")), generator.Seq(generator.Sleep(3*s/2), op("b")))), one,
		"a@0s a@1s b@1.50000001s a@2s a@3s"},

	{"until ok", generator.UntilOK(ops("a")), one, "a@0s"},
	{"until ok does not repeat", generator.UntilOK(op("a")), failing, "a@0s"},
	{"until ok, never", generator.UntilOK(ops("a")), failing, "a@0s a@10ns a@20ns a@30ns a@40ns a@50ns"},

	{"each worker", generator.EachWorker(op("a")), two, "a@0s a@0s"},
	{"each worker, crashing", generator.EachWorker(op("a")), crashing, "a@0s"},
	{"each process, crashing", generator.Limit(3, generator.EachProcess(op("a"))), crashing, "a@0s a@10ns a@20ns"},
	{"each process, exhausted", generator.EachProcess(op("a")), two, "a@0s a@0s"},
	{"each of nothing", generator.EachWorker(nil), two, ""},

	{"reserve without workers left", generator.Reserve(generator.Workers(1, op("a")), generator.Others(op("b"))), one, "a@0s"},
	{"reserve without others", generator.Reserve(generator.Workers(1, generator.Limit(2, ops("a")))), two, "a@0s a@10ns"},
	{"reserve of none", generator.Reserve(), two, ""},
	{"reserve too much", generator.Reserve(generator.Workers(5, generator.EachWorker(op("a")))), two, "a@0s a@0s"},

	{"on nemesis", generator.OnNemesis("kill", generator.Limit(2, ops("a"))), faults, "a@0s a@1s"},
	{"on an absent nemesis", generator.Seq(generator.OnNemesis("clock", ops("a")), op("b")), faults, "b@0s"},
	{"on a nemesis among clients", generator.OnClients(generator.OnNemesis("kill", op("a"))), faults, ""},
	{"nemeses overlap", generator.Any(generator.OnNemesis("kill", op("a")), generator.OnNemesis("pause", generator.Seq(generator.Sleep(s/2), op("b")))), faults,
		"a@0s b@500ms"},
	{"sleep of a nemesis begins at the completion", generator.OnNemesis("kill", generator.Seq(op("a"), generator.Sleep(s), op("b"))), faults,
		"a@0s b@2s"},

	{"any takes the soonest", generator.Any(generator.Seq(generator.Sleep(s), op("b")), op("a")), one, "a@0s b@1s"},
	{"any of none", generator.Any(), one, ""},
	{"any goes on", generator.Any(op("a"), generator.Seq(generator.Sleep(s), op("b"))), two, "a@0s b@1s"},
	{"shortest any does not", generator.ShortestAny(op("a"), generator.Seq(generator.Sleep(s), op("b"))), one, "a@0s"},
	{"shortest any with nothing", generator.ShortestAny(nil, op("b")), one, ""},

	{"filter", generator.Limit(2, generator.Filter(func(o fallacy.Op) bool { return o.F == "b" }, generator.Cycle(generator.Seq(op("a"), op("b"))))), one, "b@0s b@10ns"},
	{"filter of all", generator.Filter(func(fallacy.Op) bool { return false }, generator.Limit(5000, ops("a"))), one, ""},
	{"map", generator.Map(func(o fallacy.Op) fallacy.Op { o.F += "!"; return o }, op("a")), one, "a!@0s"},
	{"rename", generator.Rename(map[string]string{"a": "b"}, generator.Seq(op("a"), op("c"))), one, "b@0s c@10ns"},

	{"process limit", generator.ProcessLimit(2, ops("a")), crashing, "a@0s a@10ns"},
	{"process limit counts the free", generator.ProcessLimit(1, ops("a")), two, ""},
	{"concurrency limit", generator.Limit(2, generator.ConcurrencyLimit(1, ops("a"))), two, "a@0s a@10ns"},

	{"flip-flop", generator.FlipFlop(ops("a"), generator.Limit(2, ops("b"))), one, "a@0s b@10ns a@20ns b@30ns a@40ns"},
	{"flip-flop of nothing", generator.FlipFlop(nil, op("b")), one, ""},
	{"cycle times", generator.Limit(5, generator.CycleTimes(generator.During(2*s, generator.Delay(s, ops("a"))), generator.During(s, op("b")))), one,
		"a@0s a@1s b@2s a@3s a@3.00000001s"},
	{"cycle times go on", generator.CycleTimes(generator.During(10, generator.Seq(op("a"), op("b"))), generator.During(10, generator.Seq(op("c"), op("d")))), one,
		"a@0s c@10ns b@20ns d@30ns"},
	{"cycle times of none", generator.CycleTimes(), one, ""},
}

func TestCombinators(t *testing.T) {
	for _, test := range combinators {
		t.Run(test.name, func(t *testing.T) {
			h := generator.Simulate(generator.Validate(nil, test.g), test.w)
			if err := h.Validate(); err != nil {
				t.Error(err)
			}
			if d := cmp.Diff(test.want, plan(h)); d != "" {
				t.Errorf("plan (-want +got):\n%s", d)
			}
		})
	}
}
