package controller

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// world is a target in memory, one that can be told to misbehave.
type world struct {
	mu     sync.Mutex
	opened int
	invoke func(ctx context.Context, node string, op fallacy.Op) (fallacy.Value, error)
	open   func(node string) error
	ready  func(node string) error
}

type worldConn struct {
	w    *world
	node string
}

func (w *world) Process(fallacy.Node, []fallacy.Node) (fallacy.Process, error) {
	return fallacy.Process{}, nil
}

func (w *world) Ready(_ context.Context, n fallacy.Node) error {
	if w.ready != nil {
		return w.ready(n.Name)
	}
	return nil
}

func (w *world) Open(_ context.Context, n fallacy.Node) (fallacy.Conn, error) {
	if w.open != nil {
		if err := w.open(n.Name); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened++
	return worldConn{w, n.Name}, nil
}

func (c worldConn) Close() error { return nil }

func (c worldConn) Invoke(ctx context.Context, op fallacy.Op) (fallacy.Value, error) {
	if c.w.invoke == nil {
		return op.Value, nil
	}
	return c.w.invoke(ctx, c.node, op)
}

// journal keeps what was recorded.
type journal struct {
	mu  sync.Mutex
	ops fallacy.History
}

func (j *journal) record(ops []fallacy.Op) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ops = append(j.ops, ops...)
	return nil
}

func (j *journal) count(keep func(fallacy.Op) bool) (n int) {
	for _, op := range j.ops {
		if keep(op) {
			n++
		}
	}
	return n
}

func testOf(concurrency int, gen fallacy.Generator) fallacy.Test {
	return fallacy.Test{
		Concurrency: concurrency, Time: time.Second, OpTimeout: 100 * time.Millisecond, Recovery: time.Second, Seed: 1, Rate: 1000,
		Workload: &fallacy.Workload{Generator: gen, Client: func(c fallacy.Conn) (fallacy.Client, error) { return c.(fallacy.Client), nil }},
	}
}

func clusterOf(w *world, n int) fallacy.Cluster {
	c := fallacy.Cluster{Target: w}
	for i := range n {
		c.Nodes = append(c.Nodes, fallacy.Node{Name: fmt.Sprintf("n%d", i+1)})
	}
	return c
}

// runIn runs a test in virtual time and validates its history.
func runIn(t *testing.T, ctx context.Context, test fallacy.Test, c fallacy.Cluster) *journal {
	t.Helper()
	j := &journal{}
	if err := Run(ctx, test, c, Options{Record: j.record}); err != nil {
		t.Fatal(err)
	}
	if err := j.ops.Validate(); err != nil {
		t.Fatal(err)
	}
	for i, op := range j.ops {
		if op.Index != i {
			t.Fatalf("op %d has index %d", i, op.Index)
		}
	}
	return j
}

func TestRunCrashSemantics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{invoke: func(ctx context.Context, node string, op fallacy.Op) (fallacy.Value, error) {
			n, _ := op.Value.Int()
			switch n % 5 {
			case 1:
				return fallacy.Nil(), errors.New("connection reset")
			case 2:
				return fallacy.Int(-1), fmt.Errorf("refused: %w", fallacy.ErrFailed)
			case 3:
				<-ctx.Done()
				return fallacy.Nil(), ctx.Err()
			case 4:
				panic("oh")
			}
			return fallacy.Int(n), nil
		}}
		j := runIn(t, t.Context(), testOf(4, reads{limit: 50}), clusterOf(w, 2))
		want := map[fallacy.Type]int{fallacy.Invoke: 50, fallacy.OK: 10, fallacy.Fail: 10, fallacy.Info: 30}
		for typ, n := range want {
			if got := j.count(func(o fallacy.Op) bool { return o.Type == typ }); got != n {
				t.Errorf("%v: got %d, want %d", typ, got, n)
			}
		}
		if w.opened < 30 || w.opened > 30+4 {
			t.Errorf("%d clients were opened for 30 crashes of 4 workers", w.opened)
		}
		if got := j.count(func(o fallacy.Op) bool { return o.Type == fallacy.Fail && !o.Value.Equal(fallacy.Int(-1)) }); got != 0 {
			t.Errorf("%d refusals lost the value they saw", got)
		}
	})
}

func TestRunWithoutClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{open: func(node string) error { return errors.New("nobody listens") }}
		j := runIn(t, t.Context(), testOf(2, reads{limit: 4}), clusterOf(w, 1))
		for _, op := range j.ops {
			if op.Type != fallacy.Invoke && (op.Type != fallacy.Fail || op.Error != "no client: nobody listens" || op.Process > 1) {
				t.Errorf("got %v, want fail by a process that goes on", op)
			}
		}
	})
}

func TestRunGivesUpOnAClientThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := &world{invoke: func(_ context.Context, _ string, op fallacy.Op) (fallacy.Value, error) {
			if n, _ := op.Value.Int(); n == 0 {
				<-release // whatever the context says
			}
			return op.Value, nil
		}}
		test := testOf(1, reads{limit: 3})
		test.Time = time.Minute
		j := runIn(t, t.Context(), test, clusterOf(w, 1))
		close(release)
		if len(j.ops) != 6 || j.ops[1].Type != fallacy.Info || !strings.Contains(j.ops[1].Error, "did not come back") || j.ops[2].Process != 1 {
			t.Errorf("got %v", j.ops)
		}
	})
}

func TestRunSpreadsWorkersOverNodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := runIn(t, t.Context(), testOf(10, reads{}), clusterOf(&world{}, 5))
		total := j.count(func(o fallacy.Op) bool { return o.Type == fallacy.OK })
		for i := range 5 {
			node := fmt.Sprintf("n%d", i+1)
			n := j.count(func(o fallacy.Op) bool { return o.Type == fallacy.OK && o.Node == node })
			if n < total/5*7/10 || n > total/5*13/10 {
				t.Errorf("%s served %d of %d, want about a fifth", node, n, total)
			}
		}
		if total < 800 || total > 1200 {
			t.Errorf("%d ops in a second at 1000 a second", total)
		}
	})
}

// breaker is a fault that remembers whether it is in force.
type breaker struct {
	broken *bool
	verify error
}

func (b breaker) Inject(context.Context, *rand.Rand, fallacy.Cluster) (fallacy.Value, error) {
	*b.broken = true
	return fallacy.String("n1"), nil
}

func (b breaker) Verify(context.Context, fallacy.Cluster) (fallacy.Value, error) {
	return fallacy.Nil(), b.verify
}

func (b breaker) Heal(context.Context, fallacy.Cluster) error {
	*b.broken = false
	return nil
}

func TestRunHealsAtTheEndAndWaitsForRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken bool
		var healed time.Time
		w := &world{invoke: func(_ context.Context, node string, op fallacy.Op) (fallacy.Value, error) {
			if broken {
				healed = time.Time{}
				return fallacy.Nil(), fmt.Errorf("broken: %w", fallacy.ErrFailed)
			}
			if healed.IsZero() {
				healed = time.Now()
			}
			if time.Since(healed) < 300*time.Millisecond && node == "n2" {
				return fallacy.Nil(), fmt.Errorf("still recovering: %w", fallacy.ErrFailed)
			}
			return op.Value, nil
		}}
		test := testOf(4, reads{})
		test.Nemeses = []fallacy.Nemesis{{Name: "break", Fault: breaker{broken: &broken}, Schedule: turns{every: 600 * time.Millisecond}}}
		test.Workload.Final = reads{limit: 3}
		j := runIn(t, t.Context(), test, clusterOf(w, 2))
		if broken {
			t.Error("the run ended broken")
		}
		var healAt, lastAt time.Duration
		for _, op := range j.ops {
			if op.F == heal && op.Type == fallacy.Info {
				healAt = op.Time
			}
			if op.Node == "n2" && op.Type == fallacy.OK {
				lastAt = op.Time
			}
		}
		if healAt < time.Second || lastAt < healAt+300*time.Millisecond {
			t.Errorf("healed at %v, n2 served last at %v: want the heal after a second, and n2 waited for", healAt, lastAt)
		}
	})
}

func TestRunRecordsAFaultThatDidNotVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken bool
		test := testOf(1, reads{})
		test.Nemeses = []fallacy.Nemesis{{Name: "break", Fault: breaker{&broken, errors.New("n1 still answers")}, Schedule: turns{every: 600 * time.Millisecond}}}
		j := runIn(t, t.Context(), test, clusterOf(&world{}, 1))
		if n := j.count(func(o fallacy.Op) bool { return o.F == inject && o.Error == "verify: n1 still answers" }); n != 1 {
			t.Errorf("%d injections say that they were not verified, want 1: %v", n, j.ops)
		}
	})
}

func TestRunInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken bool
		ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
		defer cancel()
		test := testOf(2, reads{})
		test.Time = time.Hour
		test.Nemeses = []fallacy.Nemesis{{Name: "break", Fault: breaker{broken: &broken}, Schedule: turns{every: 600 * time.Millisecond}}}
		test.Workload.Final = reads{limit: 3}
		began := time.Now()
		j := runIn(t, ctx, test, clusterOf(&world{}, 2))
		if took := time.Since(began); took > 2*time.Second || broken {
			t.Errorf("an interrupted run took %v and is broken: %v", took, broken)
		}
		if j.ops[len(j.ops)-1].Type != fallacy.OK {
			t.Errorf("the final reads are missing: %v", j.ops[len(j.ops)-1])
		}
	})
}

func TestRunRefuses(t *testing.T) {
	good := testOf(1, reads{limit: 1})
	w := &world{ready: func(node string) error { return errors.New("not yet") }}
	if err := Run(t.Context(), good, clusterOf(w, 1), Options{Record: (&journal{}).record, ReadyTimeout: 120 * time.Millisecond}); err == nil || err.Error() != "wait until n1 is ready: not yet" {
		t.Errorf("a node that is never ready: got %v", err)
	}
	if err := Run(t.Context(), good, clusterOf(&world{}, 1), Options{Record: func([]fallacy.Op) error { return errors.New("disk full") }}); err == nil || !strings.Contains(err.Error(), "record the history: disk full") {
		t.Errorf("a record that cannot be written: got %v", err)
	}
	bad := good
	bad.Concurrency = 0
	if err := Run(t.Context(), bad, clusterOf(&world{}, 1), Options{}); err == nil {
		t.Error("a run with no workers started")
	}
}
