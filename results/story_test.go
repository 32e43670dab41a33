package results

import (
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// storyHistory is the shortest history worth a report: a stale read under a partition.
func storyHistory() fallacy.History {
	const ms = time.Millisecond
	var h fallacy.History
	add := func(at time.Duration, op fallacy.Op) {
		op.Index, op.Time = len(h), at
		h = append(h, op)
	}
	client := func(at time.Duration, process int, node string, t fallacy.Type, f string, v fallacy.Value, err string) {
		add(at, fallacy.Op{Process: process, Type: t, F: f, Value: v, Node: node, Error: err})
	}
	cut := func(peers ...string) fallacy.Value {
		var links []fallacy.Field
		for _, p := range peers {
			links = append(links, fallacy.Field{Name: p, Value: fallacy.Object(fallacy.Field{Name: "cut", Value: fallacy.Bool(true)})})
		}
		return fallacy.Object(fallacy.Field{Name: "links", Value: fallacy.Object(links...)})
	}
	damage := fallacy.Object(
		fallacy.Field{Name: "n1", Value: cut("n2", "n3")},
		fallacy.Field{Name: "n2", Value: cut("n1")},
		fallacy.Field{Name: "n3", Value: cut("n1")})
	seen := fallacy.Object(fallacy.Field{Name: "probes", Value: fallacy.Int(4)})
	x := func(v fallacy.Value) fallacy.Value { return fallacy.Tuple(fallacy.String("x"), v) }
	nemesis := func(at time.Duration, name string, t fallacy.Type, f string, v fallacy.Value, err string) {
		add(at, fallacy.Op{Process: fallacy.NemesisProcess, Nemesis: name, Type: t, F: f, Value: v, Error: err})
	}
	client(1*ms, 0, "n1", fallacy.Invoke, "write", x(fallacy.Int(34)), "")
	client(4*ms, 0, "n1", fallacy.OK, "write", x(fallacy.Int(34)), "")
	nemesis(10*ms, "partition:isolate", fallacy.Invoke, "inject", fallacy.Nil(), "")
	nemesis(14*ms, "partition:isolate", fallacy.Info, "inject", fallacy.Object(fallacy.Field{Name: "damage", Value: damage}, fallacy.Field{Name: "evidence", Value: seen}), "")
	client(20*ms, 1, "n2", fallacy.Invoke, "write", x(fallacy.Int(40)), "")
	client(23*ms, 1, "n2", fallacy.OK, "write", x(fallacy.Int(40)), "")
	client(24*ms, 2, "n3", fallacy.Invoke, "cas", x(fallacy.Ints(34, 41)), "")
	client(26*ms, 2, "n3", fallacy.Fail, "cas", x(fallacy.Int(40)), "")
	client(30*ms, 0, "n1", fallacy.Invoke, "read", x(fallacy.Nil()), "")
	client(32*ms, 0, "n1", fallacy.OK, "read", x(fallacy.Int(34)), "")
	client(33*ms, 0, "n1", fallacy.Invoke, "write", x(fallacy.Int(50)), "")
	nemesis(40*ms, "clock:step", fallacy.Invoke, "inject", fallacy.Nil(), "")
	nemesis(44*ms, "clock:step", fallacy.Info, "inject", fallacy.Object(fallacy.Field{Name: "damage", Value: fallacy.Object(
		fallacy.Field{Name: "n2", Value: fallacy.Object(fallacy.Field{Name: "clock", Value: fallacy.Object(fallacy.Field{Name: "offset_ns", Value: fallacy.Int(5e9)})})})}),
		"verify: n2: the clock did not move")
	client(83*ms, 0, "n1", fallacy.Info, "write", x(fallacy.Int(50)), "context deadline exceeded")
	nemesis(90*ms, "partition:isolate", fallacy.Invoke, "heal", fallacy.Nil(), "")
	nemesis(95*ms, "partition:isolate", fallacy.Info, "heal", fallacy.Nil(), "")
	client(97*ms, 1, "n2", fallacy.Invoke, "read", x(fallacy.Nil()), "")
	client(99*ms, 1, "n2", fallacy.OK, "read", x(fallacy.Int(40)), "")
	client(100*ms, 3, "n1", fallacy.Invoke, "read", x(fallacy.Nil()), "")
	client(104*ms, 3, "n1", fallacy.OK, "read", x(fallacy.Int(40)), "")
	return h
}

// storyRun is what became of it.
func storyRun() Run {
	return Run{
		Name: "refstore/register", Target: "refstore", Workload: "register",
		Promise: "each key behaves as one register",
		Started: someTime, Took: 104 * time.Millisecond,
		Command: []string{"fallacy", "run", "refstore/register", "--bug", "stale-read", "--seed", "4242"},
		Version: "0.1.0", System: "linux/amd64", Seed: 4242, Nodes: []string{"n1", "n2", "n3"},
		Concurrency: 3, Rate: 100, Time: 100 * time.Millisecond, OpTimeout: 50 * time.Millisecond, Recovery: time.Second,
		Remote: "local", Bug: "stale-read",
		Faults: []Fault{
			{Name: "partition", Title: "nodes cut off from each other", Fallacy: "the network is reliable"},
			{Name: "clock", Title: "clocks that disagree", Fallacy: "there is one administrator"},
		},
		Parameters: map[string]string{"keys": "1"},
		Members: []Member{
			{Node: "n1", Versions: []string{"1.0"}, Argv: []string{"/bin/store", "--id", "n1"}, Program: "/bin/store", Dir: "/data", Env: []string{"A=b"}, Files: map[string]string{"store.conf": "a: b\n"}},
			{Node: "n2", NoVersion: "it does not answer", NoSamples: "there is no /proc"},
		},
	}
}

// storyFinding is what a checker says of it.
func storyFinding() Finding {
	return Finding{
		Checker: "linearizable", Title: "each key behaves as one register", Took: 9 * time.Millisecond,
		Finding: fallacy.Finding{Verdict: fallacy.Invalid, Examined: 7, Anomalies: []fallacy.Anomaly{{
			Name: "nonlinearizable",
			Why:  "key x: process 0's read of 34 was invoked (op 8) after process 1's write of 40 had ended (op 5), which had been invoked (op 4) after process 0's write of 34 had ended (op 1): 34 had been overwritten",
			Ops:  []int{0, 1, 4, 5, 8, 9},
		}}},
	}
}

func TestCountedPacketsAreTold(t *testing.T) {
	evidence, err := fallacy.ParseValue([]byte(`{"packets":[{"link":"n1>n2","sent":400,"arrived":360,"repeated":0,"overtaken":0},{"link":"n2>clients","sent":400,"arrived":400,"repeated":79,"overtaken":8}]}`))
	must(t, err)
	want := "n1 to n2: of 400 packets 360 arrived|n2 to clients: of 400 packets 400 arrived, 79 twice, 8 out of order"
	if got := strings.ReplaceAll(strings.Join(evidenceWords(evidence), "|"), nbsp, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMaintenanceIsTold(t *testing.T) {
	evidence, err := fallacy.ParseValue([]byte(`{"compact":{"n1":{"revision":120,"refused":119}},"defrag":{"n1":{"before":960,"after":480,"in_use":384},"n2":"not done: n2: it is down"}}`))
	must(t, err)
	want := "n1: compacted to revision 120, and refuses to read revision 119|n1: 960 bytes became 480 bytes, of which 384 bytes are in use|n2: not done: n2: it is down"
	if got := strings.ReplaceAll(strings.Join(evidenceWords(evidence), "|"), nbsp, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	done, err := fallacy.ParseValue([]byte(`{"n1":{"task":"defrag"},"n3":{"task":"defrag"},"n2":{"task":"compact"}}`))
	must(t, err)
	d := damageOf(done)
	if got, want := d.String(), "n2 asked to compact the history; n1 and n3 defragmented"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := d.on("n3"), "defragmented"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
