package generator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/generator"
)

// While nobody is free, every combinator waits, and changes at most once.
func TestNobodyFree(t *testing.T) {
	now := fallacy.Moment{Workers: 2, Concurrency: 2, Nemeses: 1, Chance: fallacy.NewChance(1)}
	for name, g := range map[string]fallacy.Generator{
		"op": op("a"), "from": writes, "seq": generator.Seq(op("a")), "mix": generator.Mix(op("a")),
		"limit": generator.Limit(1, op("a")), "sleep": generator.Sleep(1), "each": generator.EachWorker(op("a")),
		"keys":    generator.Independent(1, ints, func(fallacy.Value) fallacy.Generator { return op("a") }),
		"reserve": generator.Reserve(generator.Workers(1, op("a"))), "any": generator.Any(op("a")),
		"phases": generator.Phases(op("a")), "nemesis": generator.OnNemesis("kill", op("a")),
		"clients": generator.OnClients(op("a")), "stagger": generator.Stagger(1, op("a")),
	} {
		first, rest := g.Next(now)
		if first != nil || rest == nil {
			t.Errorf("%s: got %v, then %v; want to wait", name, first, rest)
			continue
		}
		if second, again := rest.Next(now); second != nil || again != rest {
			t.Errorf("%s: asked on, got %v, then %v; want the same state", name, second, again)
		}
	}
}

func TestFromMoment(t *testing.T) {
	g := generator.FromMoment(func(now fallacy.Moment, n int) fallacy.Op {
		switch {
		case n == 0:
			return fallacy.Op{F: "inject", Nemesis: "pause"}
		case now.Time < time.Second:
			return fallacy.Op{} // not now
		}
		return fallacy.Op{F: "read", Time: time.Duration(n) * time.Minute}
	})
	h := generator.Simulate(generator.Limit(3, g), generator.World{Workers: 1, Nemeses: []string{"kill", "pause"}})
	if got, want := plan(h), "inject@0s read@1m0s read@2m0s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if h[0].Nemesis != "pause" {
		t.Errorf("got %v, want it on pause", h[0])
	}
}

func TestUpdates(t *testing.T) {
	stopAtOK := func(g fallacy.Generator, _ fallacy.Moment, event fallacy.Op) fallacy.Generator {
		if event.Type == fallacy.OK {
			return nil
		}
		return g
	}
	one := generator.World{Workers: 1, MaxOps: 3}
	if got := plan(generator.Simulate(generator.OnUpdate(stopAtOK, ops("a")), one)); got != "a@0s" {
		t.Errorf("OnUpdate: got %s", got)
	}
	if got := plan(generator.Simulate(generator.IgnoreUpdates(generator.UntilOK(ops("a"))), one)); got != "a@0s a@10ns a@20ns" {
		t.Errorf("IgnoreUpdates: got %s", got)
	}
	var steps []string
	report := func(s generator.Step) {
		if s.Event != nil {
			steps = append(steps, s.Event.Type.String())
		} else {
			steps = append(steps, "next")
		}
	}
	generator.Simulate(generator.Trace(report, generator.Limit(2, ops("a"))), one)
	if want := []string{"next", "invoke", "next", "ok", "next"}; !slices.Equal(steps, want) {
		t.Errorf("Trace: got %v, want %v", steps, want)
	}
}

// wrong is a generator that breaks the contract in a way of its own.
type wrong fallacy.Op

func (w wrong) Next(fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op := fallacy.Op(w)
	return &op, nil
}
func (w wrong) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return w }

func TestValidateFindsWhatIsWrong(t *testing.T) {
	now := fallacy.Moment{Time: 5, Free: []int{3}, Workers: 2, Concurrency: 2, Nemeses: 1}
	for want, op := range map[string]fallacy.Op{
		"has no function":            {Process: 3, Time: 5},
		"is past":                    {Process: 3, Time: 4, F: "a"},
		"want an invocation":         {Process: 3, Time: 5, F: "a", Type: fallacy.OK},
		"process 2 is not free":      {Process: 2, Time: 5, F: "a"},
		`nemesis "kill" is not idle`: {Process: -1, Nemesis: "kill", Time: 5, F: "a"},
	} {
		var got error
		generator.Validate(func(err error) { got = err }, wrong(op)).Next(now)
		if got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("got error %v, want one that says: %s", got, want)
		}
	}
}
