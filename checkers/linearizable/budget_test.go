package linearizable_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

// tangled returns a history that a search takes for ever to refute: many writes
// at one time, and at the end a read of what was never written.
func tangled(n int) fallacy.History {
	var h fallacy.History
	add := func(process int, t fallacy.Type, f string, v fallacy.Value) {
		h = append(h, fallacy.Op{Index: len(h), Process: process, Type: t, F: f, Value: fallacy.Tuple(fallacy.Int(1), v)})
	}
	for i := range n {
		add(i, fallacy.Invoke, "write", fallacy.Int(i/2))
	}
	for i := range n {
		add(i, fallacy.OK, "write", fallacy.Int(i/2))
	}
	add(n, fallacy.Invoke, "read", fallacy.Nil())
	add(n, fallacy.OK, "read", fallacy.Nil())
	return h
}

func TestBudgetExceededIsUnknown(t *testing.T) {
	for reason, budget := range map[string]linearizable.Budget{
		"memory":               {Memory: 1 << 20},
		"no answer within":     {Time: 50 * time.Millisecond, Memory: 4 << 30},
		"key 1: searching for": {Memory: 1 << 16},
	} {
		h := tangled(40)
		for _, c := range []*fallacy.Checker{
			linearizable.RegisterWith(linearizable.Options{Budget: budget}),
			linearizable.CheckWithin(linearizable.CASRegister, budget),
		} {
			start := time.Now()
			f := check(t, c, h)
			if f.Verdict != fallacy.Unknown || !strings.Contains(f.Reason, reason) {
				t.Errorf("%s: got %v %q, want unknown for %s", c.Name, f.Verdict, f.Reason, reason)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%s: took %v", c.Name, took)
			}
		}
	}
}

// refusing returns a history that is illegal by opaque refusals alone: of many
// writes at one time none can have been the last.
func refusing(n int) fallacy.History {
	h := tangledApart(n)
	for i := range n {
		for _, typ := range []fallacy.Type{fallacy.Invoke, fallacy.Fail} {
			h = append(h, fallacy.Op{Index: len(h), Process: n, Type: typ, F: "cas", Value: fallacy.Tuple(fallacy.Int(1), fallacy.Ints(i+1, 1000+i))})
		}
	}
	return h
}

// tangledApart is n writes of values of their own, all at one time.
func tangledApart(n int) fallacy.History {
	var h fallacy.History
	for _, typ := range []fallacy.Type{fallacy.Invoke, fallacy.OK} {
		for i := range n {
			h = append(h, fallacy.Op{Index: len(h), Process: i, Type: typ, F: "write", Value: fallacy.Tuple(fallacy.Int(1), fallacy.Int(i+1))})
		}
	}
	return h
}

func TestRefusalsKeepTheBudget(t *testing.T) {
	for reason, budget := range map[string]linearizable.Budget{
		"memory":           {Memory: 1 << 20},
		"no answer within": {Time: 50 * time.Millisecond, Memory: 4 << 30},
	} {
		c := linearizable.RegisterWith(linearizable.Options{Budget: budget, Refused: opaque})
		if f := check(t, c, refusing(40)); f.Verdict != fallacy.Unknown || !strings.Contains(f.Reason, reason) {
			t.Errorf("got %v %q, want unknown for %s", f.Verdict, f.Reason, reason)
		}
	}
	c := linearizable.RegisterWith(linearizable.Options{Refused: opaque})
	if f := check(t, c, refusing(8)); f.Verdict != fallacy.Invalid {
		t.Errorf("got %v %q, want invalid", f.Verdict, f.Reason)
	}
}

// TestGrowthIsNearLinear counts bytes, since a clock would tell of the machine:
// ten times the history must not cost much more than ten times. Tables that double
// account for as much again; what is quadratic costs a hundred times.
func TestGrowthIsNearLinear(t *testing.T) {
	for name, l := range map[string]load{
		"one key":  {clients: 10, keys: 1, unknown: 0.01},
		"opaque":   {clients: 10, keys: 1, unknown: 0.01, opaque: true},
		"ten keys": {clients: 10, keys: 10, unknown: 0.01},
		"stale":    {clients: 10, keys: 1, stale: true},
	} {
		bytes := func(n int) float64 {
			l.calls = n
			h := l.history(1)
			c := linearizable.RegisterWith(linearizable.Options{Refused: opaque})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			check(t, c, h)
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc - before.TotalAlloc)
		}
		if few, many := bytes(5_000), bytes(50_000); many > 25*few+1<<20 {
			t.Errorf("%s: 5,000 calls take %.0f bytes, ten times as many %.0f", name, few, many)
		}
	}
}

func TestInterruptedIsUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := linearizable.Register().Check(ctx, randomHistory(rand.New(rand.NewPCG(1, 1)), shape{calls: 9, processes: 2}))
	if err == nil && f.Verdict != fallacy.Unknown {
		t.Errorf("got %v, want unknown", f.Verdict)
	}
}

func TestModelPanicIsUnknown(t *testing.T) {
	m := linearizable.Model{Name: "bad", Step: func(fallacy.Value, linearizable.Action) (fallacy.Value, bool) { panic("no") }}
	f := check(t, linearizable.Check(m), tangled(2))
	if f.Verdict != fallacy.Unknown || !strings.Contains(f.Reason, "the model panics: no") {
		t.Errorf("got %v %q, want unknown", f.Verdict, f.Reason)
	}
}
