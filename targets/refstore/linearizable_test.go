package refstore

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// registerOp is the input of an operation on a register, for porcupine.
type registerOp struct {
	op          string
	key         string
	from, value int
}

type registerSeen struct {
	unknown bool
	refused bool
	value   int // 0: absent
}

var registerModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		by := map[string][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(registerOp).key
			by[key] = append(by[key], op)
		}
		var parts [][]porcupine.Operation
		for _, key := range sortedKeys(by) {
			parts = append(parts, by[key])
		}
		return parts
	},
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		in, out := input.(registerOp), output.(registerSeen)
		switch in.op {
		case OpRead:
			return out.value == state, state
		case OpWrite:
			return true, in.value
		}
		if out.refused {
			return state != in.from && out.value == state, state
		}
		if out.unknown && state != in.from {
			return true, state
		}
		return state == in.from, in.value
	},
}

// registerLoad lets clients write, read and compare-and-set a few registers at a time, and keeps the
// history of it.
type registerLoad struct {
	s       *simulation
	history []porcupine.Operation
	clients int
	values  int
	done    int
	never   int64
}

// client starts a client of a node. After an info another takes its place.
func (l *registerLoad) client(node *simNode, until time.Duration) {
	l.clients++
	name, seq := fmt.Sprintf("c%d", l.clients), uint64(0)
	var next func()
	next = func() {
		if l.s.now >= until {
			return
		}
		seq++
		in := l.choose()
		q := Request{Client: name, Seq: seq, Op: in.op, Key: in.key, From: in.from, Value: in.value}
		called := l.s.now
		l.s.ask(node, q, func(r Reply, ok bool) {
			if l.record(in, called, r, ok) {
				l.s.after(l.s.between(time.Millisecond, 20*time.Millisecond), next)
			} else {
				l.client(node, until)
			}
		})
	}
	l.s.after(l.s.between(0, 10*time.Millisecond), next)
}

func (l *registerLoad) choose() registerOp {
	l.values++
	op := registerOp{op: OpRead, key: fmt.Sprintf("k%d.%d", l.values/1000, l.s.rng.IntN(3)), value: l.values}
	switch l.s.rng.IntN(5) {
	case 0, 1:
		op.op = OpWrite
	case 2:
		op.op, op.from = OpCAS, max(1, l.values-l.s.rng.IntN(20))
	}
	return op
}

// record adds an operation to the history, and says whether its client may go on.
func (l *registerLoad) record(in registerOp, called time.Duration, r Reply, ok bool) bool {
	out := registerSeen{}
	returned := int64(l.s.now)
	switch {
	case ok && (r.Code == Done || r.Code == Refused):
		l.done++
		out.refused = r.Code == Refused
		if n, is := r.Result.Value.Int(); is {
			out.value = n
		}
	case ok && r.Code == Unavailable || in.op == OpRead:
		return ok
	default:
		out.unknown = true
		l.never++
		returned = 1<<60 + l.never
	}
	l.history = append(l.history, porcupine.Operation{Input: in, Output: out, Call: int64(called), Return: returned})
	return !out.unknown
}

// trouble makes one thing after the other go wrong, and heals it again.
func (s *simulation) trouble(kinds []string, until time.Duration) {
	if s.now >= until || len(kinds) == 0 {
		return
	}
	heal := s.inflict(kinds[s.rng.IntN(len(kinds))])
	s.after(s.between(300*time.Millisecond, 3000*time.Millisecond), func() {
		heal()
		s.after(s.between(200*time.Millisecond, 800*time.Millisecond), func() { s.trouble(kinds, until) })
	})
}

func (s *simulation) victim() *simNode {
	if leader := s.leader(); leader != nil && s.rng.IntN(2) == 0 {
		return leader
	}
	return s.nodes[s.rng.IntN(len(s.nodes))]
}

func (s *simulation) inflict(kind string) (heal func()) {
	n := s.victim()
	switch kind {
	case "isolate-leader":
		if leader := s.leader(); leader != nil {
			n = leader
		}
		s.isolate(n)
		return s.reconnect
	case "isolate":
		s.isolate(n)
		return s.reconnect
	case "one-way":
		for _, m := range s.nodes {
			s.cut[[2]uint64{n.id, m.id}] = m != n
		}
		return s.reconnect
	case "kill":
		s.kill(n)
		return func() { s.restart(n) }
	case "kill-all":
		for _, m := range s.nodes {
			s.after(s.between(0, 5*time.Millisecond), func() { s.kill(m) })
		}
		return func() {
			for _, m := range s.nodes {
				s.after(s.between(0, 100*time.Millisecond), func() { s.restart(m) })
			}
		}
	case "pause":
		s.pause(n)
		return func() { s.resume(n) }
	case "freeze":
		n.frozen, n.frozenAt = true, s.now+n.offset
		return func() { n.frozen = false }
	case "step":
		n.offset = s.between(-5*time.Second, 5*time.Second)
		return func() { n.offset = 0 }
	}
	panic("no such trouble: " + kind)
}

var (
	allTrouble   = []string{"isolate", "one-way", "kill", "kill-all", "pause"}
	clockTrouble = []string{"freeze", "step"}
)

// troubledRun returns the history of a run in which everything goes wrong.
func troubledRun(t *testing.T, seed uint64, nodes int, bug string, kinds, clock []string, length time.Duration) *registerLoad {
	t.Helper()
	s := newSimulation(t, seed, nodes, bug)
	l := &registerLoad{s: s}
	s.run(time.Second)
	for i := range 2 * nodes {
		l.client(s.nodes[i%nodes], length)
	}
	s.after(0, func() { s.trouble(kinds, length-2*time.Second) })
	s.after(0, func() { s.trouble(clock, length-2*time.Second) })
	s.run(length + 4*time.Second)
	return l
}

func verdict(t *testing.T, l *registerLoad) porcupine.CheckResult {
	t.Helper()
	return porcupine.CheckOperationsTimeout(registerModel, l.history, 20*time.Second)
}

// seeds is how many runs each of the tests below does; go test -seeds 100 for a night.
var seeds = flag.Uint64("seeds", 3, "simulated runs per test")

func TestCorrectStoreIsLinearizable(t *testing.T) {
	for seed := range 2 * *seeds {
		l := troubledRun(t, seed, 3+2*int(seed%2), "", allTrouble, clockTrouble, 12*time.Second)
		if got := verdict(t, l); got != porcupine.Ok {
			t.Errorf("seed %d: %v, want %v (%d operations)", seed, got, porcupine.Ok, len(l.history))
		}
		if l.s.diverged != "" {
			t.Errorf("seed %d: %s", seed, l.s.diverged)
		}
		if len(l.s.crash) > 0 {
			t.Errorf("seed %d: a replica panicked: %v", seed, l.s.crash)
		}
		if l.done < 1000 {
			t.Errorf("seed %d: only %d operations succeeded, %d unknown", seed, l.done, l.never)
		}
	}
}

func TestSameSeedSameHistory(t *testing.T) {
	run := func() string {
		l := troubledRun(t, 4, 3, "", allTrouble, clockTrouble, 5*time.Second)
		return fmt.Sprintf("%v", l.history)
	}
	if first, second := run(), run(); first != second {
		t.Errorf("two runs from the same seed differ: %d and %d bytes of history", len(first), len(second))
	}
}

func TestPlantedBugsShowInSimulation(t *testing.T) {
	for _, c := range []struct {
		bug   string
		kinds string
		clock string
	}{
		{BugStaleRead, "isolate", ""},
		{BugLostWrite, "isolate kill", ""},
		{BugNoFsync, "kill-all", ""},
		{BugForgottenVote, "kill-all", ""},
		{BugDirtyRead, "isolate-leader", ""},
		{BugLeaseClock, "isolate-leader", "freeze step"},
	} {
		t.Run(c.bug, func(t *testing.T) {
			caught := uint64(0)
			for seed := range *seeds {
				l := troubledRun(t, seed, 5, c.bug, strings.Fields(c.kinds), strings.Fields(c.clock), 12*time.Second)
				if l.s.diverged != "" || verdict(t, l) == porcupine.Illegal {
					caught++
				}
				t.Logf("seed %d: %d done, %d unknown, diverged: %q, panics: %v", seed, l.done, l.never, l.s.diverged, l.s.crash)
			}
			if 3*caught < 2**seeds {
				t.Errorf("caught in %d of %d seeds", caught, *seeds)
			}
		})
	}
}
