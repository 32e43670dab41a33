package checkers_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

// made is a history of n calls by 10 processes, one after the other, of what ask
// makes up.
func made(n int, ask func(i int) (f string, in, out fallacy.Value)) fallacy.History {
	h := make(fallacy.History, 0, 2*n)
	for i := range n {
		f, in, out := ask(i)
		op := fallacy.Op{Index: len(h), Time: time.Duration(len(h)), Process: i % 10, F: f, Value: in, Node: []string{"n1", "n2"}[i%2]}
		done := op
		done.Index, done.Time, done.Type, done.Value = op.Index+1, op.Time+1, fallacy.OK, out
		h = append(h, op, done)
	}
	return h
}

// longHistories is a long history for each checker whose cost it is fit to show.
var longHistories = map[string]func(n int) fallacy.History{
	"set-full": func(n int) fallacy.History {
		return randomHistory(rand.New(rand.NewPCG(1, 1)), new(fewReads), shape{calls: n, info: 0.01})
	},
	"total-queue": func(n int) fallacy.History {
		return made(n, func(i int) (string, fallacy.Value, fallacy.Value) {
			return []string{"enqueue", "dequeue"}[i%2], fallacy.Int(i / 2), fallacy.Int(i / 2)
		})
	},
	"log": func(n int) fallacy.History {
		return made(n, func(i int) (string, fallacy.Value, fallacy.Value) {
			record := fallacy.Tuple(fallacy.Int(i/2), fallacy.Int(i/2))
			if i%2 == 0 {
				return "send", fallacy.Tuple(fallacy.Int(1), fallacy.Int(i/2)), fallacy.Tuple(fallacy.Int(1), record)
			}
			return "poll", fallacy.Nil(), fallacy.List(fallacy.Tuple(fallacy.Int(1), fallacy.List(record)))
		})
	},
	"unique-ids": func(n int) fallacy.History {
		return made(n, func(i int) (string, fallacy.Value, fallacy.Value) { return "generate", fallacy.Nil(), fallacy.Int(i) })
	},
	"causal": func(n int) fallacy.History {
		return made(n, func(i int) (string, fallacy.Value, fallacy.Value) {
			v := fallacy.Ints(i%7, i-i%14)
			return []string{"write", "read"}[i/7%2], v, v
		})
	},
	"sessions": func(n int) fallacy.History {
		return made(n, func(i int) (string, fallacy.Value, fallacy.Value) {
			return []string{"write", "read"}[i%2], fallacy.Ints(i%7, i), fallacy.Tuple(fallacy.Int(i%7), fallacy.Ints(i, i))
		})
	},
	"watch": func(n int) fallacy.History {
		return made(n, func(i int) (string, fallacy.Value, fallacy.Value) {
			if i%10 == 1 {
				return "watch", fallacy.Nil(), fallacy.List(fallacy.List(fallacy.Int(i), fallacy.Nil(), fallacy.Nil()))
			}
			return "write", fallacy.Ints(1, i), fallacy.Tuple(fallacy.Int(1), fallacy.Ints(i+n, i))
		})
	},
	"lease": func(n int) fallacy.History {
		return made(n, func(i int) (string, fallacy.Value, fallacy.Value) {
			lease := fallacy.Ints(i/3, 60_000)
			return []string{"grant", "read", "revoke"}[i%3], lease, []fallacy.Value{lease, fallacy.Ints(i / 3), lease}[i%3]
		})
	},
	"mutex": func(n int) fallacy.History {
		return randomHistory(rand.New(rand.NewPCG(1, 1)), &mutex{wants: map[int]bool{}, tokens: true}, shape{calls: n})
	},
	"versioned-register": func(n int) fallacy.History {
		return randomHistory(rand.New(rand.NewPCG(1, 1)), new(versionedRegister), shape{calls: n})
	},
	"availability": func(n int) fallacy.History {
		return made(n, func(i int) (string, fallacy.Value, fallacy.Value) { return "read", fallacy.Nil(), fallacy.Int(i) })
	},
}

func judgesLong(name string) *fallacy.Checker {
	if name == "versioned-register" {
		return linearizable.Versioned(true)
	}
	return shelf(nil)[name]
}

// TestGrowthIsNearLinear counts the bytes that checkers take, since a clock would
// tell of the machine: ten times the history must not cost much more than ten times. Tables that double
// account for as much again; what is quadratic costs a hundred times.
func TestGrowthIsNearLinear(t *testing.T) {
	for name, long := range longHistories {
		bytes := func(n int) float64 {
			h := long(n)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := judgesLong(name).Check(t.Context(), h); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc - before.TotalAlloc)
		}
		if few, many := bytes(3_000), bytes(30_000); many > 25*few+1<<20 {
			t.Errorf("%s: 3,000 calls take %.0f bytes, ten times as many %.0f", name, few, many)
		}
	}
}

// BenchmarkShelf judges long histories.
func BenchmarkShelf(b *testing.B) {
	const calls = 200_000
	for name, long := range longHistories {
		b.Run(name, func(b *testing.B) {
			h := long(calls)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := judgesLong(name).Check(b.Context(), h); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(calls*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

// TestShelfIsListedOnce asks of each checker what a catalogue needs.
func TestShelfIsListedOnce(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range checkers.All() {
		if c.Name == "" || c.Check == nil || seen[c.Name] {
			t.Errorf("checker %q has no name, no function, or a double", c.Name)
		}
		seen[c.Name] = true
	}
}
