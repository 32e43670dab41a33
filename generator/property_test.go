package generator

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fallacy-dev/fallacy"
)

// pure wraps a generator, anywhere in a tree, and fails the test when a moment
// or an answer is not what the contract says.
type pure struct {
	t *rapid.T
	g fallacy.Generator
}

func (p *pure) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	checkMoment(p.t, now)
	op, rest := p.g.Next(now)
	p.g.Update(now, fallacy.Op{Process: 0, Type: fallacy.OK, F: "read"})
	again, restAgain := p.g.Next(now)
	if !equal(op, again) {
		p.t.Fatalf("asked twice, %T has two answers: %v and %v", p.g, op, again)
	}
	if (rest == nil) != (restAgain == nil) {
		p.t.Fatalf("asked twice, %T goes on with %v and %v", p.g, rest, restAgain)
	}
	if rest != nil {
		first, _ := rest.Next(now)
		second, _ := restAgain.Next(now)
		if !equal(first, second) {
			p.t.Fatalf("asked twice, %T goes on in two ways: %v and %v", p.g, first, second)
		}
	}
	if op != nil {
		if err := check(*op, now); err != nil {
			p.t.Fatalf("%T: op %v at %v: %v", p.g, op, now.Time, err)
		}
	}
	return op, p.with(rest)
}

func (p *pure) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	checkMoment(p.t, now)
	return p.with(p.g.Update(now, event))
}

func (p *pure) with(g fallacy.Generator) fallacy.Generator {
	switch {
	case g == nil:
		return nil
	case same(g, p.g):
		return p
	}
	return &pure{p.t, g}
}

func (p *pure) deaf() bool                   { return deaf(p.g) }
func (p *pure) pause() (time.Duration, bool) { return pause(p.g) }

// equal tells whether two generated ops are the same.
func equal(a, b *fallacy.Op) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Time == b.Time && a.Process == b.Process && a.Nemesis == b.Nemesis &&
		a.Type == b.Type && a.F == b.F && a.Value.Equal(b.Value)
}

func checkMoment(t *rapid.T, now fallacy.Moment) {
	if len(now.Free) > now.Workers || len(now.Idle) > now.Nemeses || now.Workers > now.Concurrency {
		t.Fatalf("moment has %d of %d workers free, %d of %d nemeses idle", len(now.Free), now.Workers, len(now.Idle), now.Nemeses)
	}
	seen := make(map[int]bool)
	for _, p := range now.Free {
		if seen[p%now.Concurrency] {
			t.Fatalf("a worker is twice in %v", now.Free)
		}
		seen[p%now.Concurrency] = true
	}
}

// plant draws a tree of combinators.
func plant(t *rapid.T, depth int) fallacy.Generator {
	g := plantLeaf(t)
	if depth > 0 {
		g = plantNode(t, depth-1)
	}
	if g != nil && rapid.Bool().Draw(t, "checked") {
		g = &pure{t, g}
	}
	return g
}

func plantLeaf(t *rapid.T) fallacy.Generator {
	switch rapid.IntRange(0, 7).Draw(t, "leaf") {
	case 0:
		return Nothing()
	case 1:
		return Log("here")
	case 2:
		return Sleep(time.Duration(rapid.IntRange(0, 40).Draw(t, "sleep")))
	case 3:
		return OnNemesis("kill", Op("inject", fallacy.Nil()))
	case 4, 5:
		return From(func(c fallacy.Chance, n int) (string, fallacy.Value) {
			return "write", fallacy.Ints(n, c.IntN(1000))
		})
	}
	return Op("read", fallacy.Nil())
}

func plantNode(t *rapid.T, depth int) fallacy.Generator {
	child := func() fallacy.Generator { return plant(t, depth) }
	n := func() int { return rapid.IntRange(0, 4).Draw(t, "n") }
	d := func() time.Duration { return time.Duration(rapid.IntRange(1, 50).Draw(t, "d")) }
	nodes := []func() fallacy.Generator{
		func() fallacy.Generator { return Seq(child(), child(), child()) },
		func() fallacy.Generator { return Phases(child(), child()) },
		func() fallacy.Generator { return Then(child(), child()) },
		func() fallacy.Generator { return Mix(child(), child(), child()) },
		func() fallacy.Generator { return Weighted(Weigh(1, child()), Weigh(3, child())) },
		func() fallacy.Generator { return Limit(n(), child()) },
		func() fallacy.Generator { return Once(child()) },
		func() fallacy.Generator { return Repeat(child()) },
		func() fallacy.Generator { return Cycle(child()) },
		func() fallacy.Generator { return Times(n(), child()) },
		func() fallacy.Generator { return TimeLimit(d(), child()) },
		func() fallacy.Generator { return Stagger(d(), child()) },
		func() fallacy.Generator { return Delay(d(), child()) },
		func() fallacy.Generator { return UntilOK(child()) },
		func() fallacy.Generator { return EachWorker(child()) },
		func() fallacy.Generator { return EachProcess(child()) },
		func() fallacy.Generator { return Reserve(Workers(1, child()), Workers(2, child()), Others(child())) },
		func() fallacy.Generator { return Reserve(Workers(n(), child()), Workers(1, child())) },
		func() fallacy.Generator { return OnClients(child()) },
		func() fallacy.Generator { return OnNemesis("partition", child()) },
		func() fallacy.Generator { return Any(child(), child(), child()) },
		func() fallacy.Generator { return ShortestAny(child(), child()) },
		func() fallacy.Generator { return ProcessLimit(5+n(), child()) },
		func() fallacy.Generator { return ConcurrencyLimit(n(), child()) },
		func() fallacy.Generator { return FlipFlop(child(), child()) },
		func() fallacy.Generator { return CycleTimes(During(d(), child()), During(d(), child())) },
		func() fallacy.Generator { return IgnoreUpdates(child()) },
		func() fallacy.Generator { return Rename(map[string]string{"read": "get"}, child()) },
		func() fallacy.Generator {
			return Filter(func(op fallacy.Op) bool { return !op.Value.Equal(fallacy.Nil()) }, child())
		},
		func() fallacy.Generator {
			g := child()
			return Series(func(_ fallacy.Chance, n int) fallacy.Generator {
				if n > 3 {
					return nil
				}
				return Seq(Sleep(1), g)
			})
		},
		func() fallacy.Generator {
			g, keys := child(), n()
			return Independent(1+n(), func(i int) fallacy.Value {
				if i > 2*keys {
					return fallacy.Nil()
				}
				return fallacy.Int(i)
			}, func(fallacy.Value) fallacy.Generator { return g })
		},
	}
	return nodes[rapid.IntRange(0, len(nodes)-1).Draw(t, "node")]()
}

// plantWorld draws a world that is small enough to end soon.
func plantWorld(t *rapid.T) World {
	answers := []Answer{Perfect, Failing, Crashing, Imperfect}
	return World{
		Workers: rapid.IntRange(1, 7).Draw(t, "workers"),
		Nemeses: []string{"kill", "partition"},
		Answer:  answers[rapid.IntRange(0, 3).Draw(t, "answer")],
		Seed:    rapid.Uint64().Draw(t, "seed"),
		MaxOps:  150,
		MaxTime: 20 * time.Millisecond,
	}
}

// Every tree, in every world: each answer keeps the contract, the simulation
// ends, its history is one that a run can have recorded, and it is the same
// when run again from the same generator.
func TestAnyTreeKeepsTheContract(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := plant(t, rapid.IntRange(1, 4).Draw(t, "depth"))
		w := plantWorld(t)
		h := Simulate(g, w)
		if err := h.Validate(); err != nil {
			t.Fatalf("history: %v", err)
		}
		if d := cmp.Diff(h, Simulate(g, w)); d != "" {
			t.Fatalf("simulated twice:\n%s", d)
		}
	})
}

// tagged is an endless generator whose ops say who made them, how many it made
// before, and what it drew.
func tagged(i int) fallacy.Generator {
	return From(func(c fallacy.Chance, n int) (string, fallacy.Value) {
		return fmt.Sprint(i), fallacy.Ints(n, c.IntN(1_000_000))
	})
}

// Taking one alternative out of a choice leaves what the others draw as it was,
// and, in a mix, every choice that did not fall on it.
func TestRemovingAnAlternativeShiftsNothing(t *testing.T) {
	sites := map[string]func(gs ...fallacy.Generator) fallacy.Generator{
		"mix": Mix,
		"any": Any,
		"weighted": func(gs ...fallacy.Generator) fallacy.Generator {
			var choices []Choice
			for i, g := range gs {
				choices = append(choices, Weigh(float64(i+1), g))
			}
			return Weighted(choices...)
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		for name, site := range sites {
			gs := []fallacy.Generator{tagged(0), tagged(1), tagged(2), tagged(3)}
			gone := rapid.IntRange(0, len(gs)-1).Draw(t, "gone")
			w := World{Workers: 1, MaxOps: 60, Seed: rapid.Uint64().Draw(t, "seed")}
			all := invokes(Simulate(site(gs...), w))
			gs[gone] = Nothing()
			fewer := invokes(Simulate(site(gs...), w))
			for i, op := range all {
				if op.F != fmt.Sprint(gone) && fewer[i].F != op.F {
					t.Fatalf("%s without %d: choice %d was %s, is %s", name, gone, i, op.F, fewer[i].F)
				}
			}
			for i := range gs {
				was, is := valuesOf(all, i), valuesOf(fewer, i)
				n := min(len(was), len(is))
				if !slices.Equal(was[:n], is[:n]) {
					t.Fatalf("%s without %d: alternative %d drew %v, draws %v", name, gone, i, was, is)
				}
			}
		}
	})
}

func invokes(h fallacy.History) []fallacy.Op {
	var ops []fallacy.Op
	for _, op := range h {
		if op.Type == fallacy.Invoke {
			ops = append(ops, op)
		}
	}
	return ops
}

func valuesOf(ops []fallacy.Op, tag int) []string {
	var values []string
	for _, op := range ops {
		if op.F == fmt.Sprint(tag) {
			values = append(values, op.Value.String())
		}
	}
	return values
}
