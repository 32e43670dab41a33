package generator_test

import (
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/generator"
)

// upTo returns the keys 0 to n-1.
func upTo(n int) func(int) fallacy.Value {
	return func(i int) fallacy.Value {
		if i >= n {
			return fallacy.Nil()
		}
		return fallacy.Int(i)
	}
}

func keyOf(op fallacy.Op) int {
	key, _, _ := op.Value.Tuple()
	n, _ := key.Int()
	return n
}

// Each key is worked on by one group only, which is n workers, and by the last
// group where n does not divide them; each key gets all its ops, and two
// groups never share one.
func TestIndependentGroups(t *testing.T) {
	const n, keys, each = 3, 20, 10
	for _, workers := range []int{1, 3, 7, 9} {
		for _, answer := range []generator.Answer{generator.Perfect, generator.Imperfect, generator.Crashing} {
			g := generator.Independent(n, upTo(keys), func(fallacy.Value) fallacy.Generator { return generator.Limit(each, writes) })
			h := generator.Simulate(g, generator.World{Workers: workers, Answer: answer})
			if err := h.Validate(); err != nil {
				t.Fatal(err)
			}
			for key, got := range count(h, keyOf) {
				if got != each {
					t.Errorf("%d workers: key %d got %d ops, want %d", workers, key, got, each)
				}
			}
			if got := len(count(h, keyOf)); got != keys {
				t.Errorf("%d workers: %d keys were used, want %d", workers, got, keys)
			}
			group := make(map[int]int)
			for _, op := range h {
				g := op.Process % workers / n
				if before, ok := group[keyOf(op)]; ok && before != g {
					t.Errorf("%d workers: key %d is with groups %d and %d", workers, keyOf(op), before, g)
				}
				group[keyOf(op)] = g
			}
		}
	}
}

// A key's generator hears of its own events only, and sees their bare values.
func TestIndependentRoutesEvents(t *testing.T) {
	gen := func(key fallacy.Value) fallacy.Generator {
		want, _ := key.Int()
		hear := func(g fallacy.Generator, _ fallacy.Moment, event fallacy.Op) fallacy.Generator {
			if got, ok := event.Value.Int(); !ok || got != 100+want {
				t.Errorf("key %d heard of %v", want, event)
			}
			return g
		}
		return generator.OnUpdate(hear, generator.Limit(5, generator.Repeat(generator.Op("write", fallacy.Int(100+want)))))
	}
	h := generator.Simulate(generator.Independent(2, upTo(9), gen), generator.World{Workers: 6, Answer: generator.Imperfect})
	if got := len(count(h, keyOf)); got != 9 {
		t.Errorf("%d keys were used, want 9", got)
	}
}

// What happens to a key is the same whoever works on it and whenever.
func TestIndependentKeysDrawForThemselves(t *testing.T) {
	draws := func(workers int) map[int]string {
		gen := func(fallacy.Value) fallacy.Generator {
			return generator.Limit(5, generator.From(func(c fallacy.Chance, n int) (string, fallacy.Value) {
				return "write", fallacy.Int(c.IntN(1000))
			}))
		}
		values := make(map[int]string)
		for _, op := range generator.Simulate(generator.Independent(2, upTo(9), gen), generator.World{Workers: workers}) {
			if _, value, _ := op.Value.Tuple(); op.Type == fallacy.Invoke {
				values[keyOf(op)] += value.String() + " "
			}
		}
		return values
	}
	few, many := draws(2), draws(8)
	for key := range few {
		if few[key] != many[key] {
			t.Errorf("key %d: %s with few workers, %s with many", key, few[key], many[key])
		}
	}
}

func TestIndependentSkipsEmptyKeys(t *testing.T) {
	gen := func(key fallacy.Value) fallacy.Generator {
		if n, _ := key.Int(); n%3 != 0 {
			return generator.Nothing()
		}
		return generator.Op("write", fallacy.Nil())
	}
	h := generator.Simulate(generator.Independent(2, upTo(10), gen), generator.World{Workers: 4})
	if got := len(count(h, keyOf)); got != 4 {
		t.Errorf("%d keys were used, want 4", got)
	}
}
