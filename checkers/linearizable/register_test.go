package linearizable_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

var rounds = flag.Int("rounds", 1000, "random histories of each shape to compare with Porcupine")

// oracle is a register with refusals, by plain Porcupine.
var oracle = linearizable.ByPorcupine(linearizable.Model{
	Name: "oracle", Keyed: true, Refusals: true,
	Step: func(state fallacy.Value, a linearizable.Action) (fallacy.Value, bool) {
		from, to, isPair := a.In.Tuple()
		switch {
		case a.F == "read":
			return state, !a.Known() || a.Out.Equal(state)
		case a.F == "write":
			return a.In, true
		case a.Type == fallacy.Fail && isPair && a.Out.Equal(a.In):
			return state, !from.Equal(state)
		case a.Type == fallacy.Fail:
			return state, a.Out.Equal(state)
		}
		return to, from.Equal(state)
	},
})

func check(t testing.TB, c *fallacy.Checker, h fallacy.History) fallacy.Finding {
	t.Helper()
	f, err := c.Check(context.Background(), h)
	if err != nil {
		t.Fatalf("%s: %v\n%s", c.Name, err, text(h))
	}
	return f
}

func text(h fallacy.History) string {
	var b strings.Builder
	for _, op := range h {
		fmt.Fprintln(&b, op.Index, op)
	}
	return b.String()
}

// TestRegisterAgreesWithPorcupine compares verdicts, and holds every anomaly to
// its promise: few calls, which alone are already not linearizable.
func TestRegisterAgreesWithPorcupine(t *testing.T) {
	all := func(fallacy.Op) bool { return true }
	shapes := map[string]struct {
		shape
		refused func(fallacy.Op) bool
	}{
		"damaged":          {shape{calls: 9, processes: 4, refusals: "seen", info: 0.15, damage: 0.6}, nil},
		"wild":             {shape{calls: 6, processes: 3, refusals: "seen", info: 0.2, wild: true}, nil},
		"wild and sure":    {shape{calls: 5, processes: 3, refusals: "seen", wild: true}, nil},
		"repeated":         {shape{calls: 8, processes: 4, refusals: "seen", info: 0.15, damage: 0.6, repeat: true}, nil},
		"repeated wild":    {shape{calls: 6, processes: 3, refusals: "seen", info: 0.2, wild: true, repeat: true}, nil},
		"opaque":           {shape{calls: 8, processes: 4, refusals: "nothing", info: 0.2, damage: 0.4}, all},
		"opaque wild":      {shape{calls: 6, processes: 3, refusals: "nothing", info: 0.2, wild: true}, all},
		"opaque, repeated": {shape{calls: 7, processes: 4, refusals: "nothing", info: 0.2, damage: 0.4, repeat: true}, all},
	}
	for name, s := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			register := linearizable.RegisterWith(linearizable.Options{Refused: s.refused})
			rng := rand.New(rand.NewPCG(7, uint64(len(name))))
			count := make(map[fallacy.Verdict]int)
			for range *rounds {
				h := randomHistory(rng, s.shape)
				got, want := check(t, register, h), check(t, oracle, h)
				if got.Verdict != want.Verdict {
					t.Fatalf("got %v, want %v: %v\n%s", got.Verdict, want.Verdict, got.Anomalies, text(h))
				}
				count[want.Verdict]++
				if !s.repeat && s.refused == nil {
					proves(t, h, got)
				}
			}
			t.Logf("%d legal, %d illegal", count[fallacy.Valid], count[fallacy.Invalid])
			if count[fallacy.Valid] < *rounds/20 || count[fallacy.Invalid] < *rounds/20 {
				t.Errorf("verdicts %v say little", count)
			}
		})
	}
}

// TestSearchAgreesWithPorcupine compares the windowed search of models with Porcupine's.
func TestSearchAgreesWithPorcupine(t *testing.T) {
	reading := linearizable.CASRegister
	reading.Reads = nil
	for name, m := range map[string]linearizable.Model{"reads known": linearizable.CASRegister, "reads not known": reading} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(8, uint64(len(name))))
			ours, theirs := linearizable.Check(m), linearizable.ByPorcupine(m)
			for i := range *rounds {
				h := randomHistory(rng, shape{calls: 8, processes: 4, refusals: "nothing", info: 0.15, damage: 0.6, repeat: i%2 == 0, wild: i%3 == 0})
				if got, want := check(t, ours, h).Verdict, check(t, theirs, h).Verdict; got != want {
					t.Fatalf("got %v, want %v\n%s", got, want, text(h))
				}
			}
		})
	}
}

// proves fails unless the ops of each anomaly make up a history that is itself
// not linearizable.
func proves(t *testing.T, h fallacy.History, f fallacy.Finding) {
	t.Helper()
	for _, a := range f.Anomalies {
		var part fallacy.History
		for _, op := range h {
			if slices.Contains(a.Ops, op.Index) {
				part = append(part, op)
			}
		}
		if len(a.Ops) > 12 && !strings.Contains(a.Why, "in a circle") {
			t.Fatalf("%d ops for an anomaly: %s", len(a.Ops), a.Why)
		}
		if check(t, oracle, part).Verdict != fallacy.Invalid {
			t.Fatalf("%s\nis not proved by\n%s\nof\n%s", a.Why, text(part), text(h))
		}
	}
}

func FuzzRegister(f *testing.F) {
	f.Add(script.JSON("0 invoke write [\"x\",1]\n0 ok write [\"x\",1]\n1 invoke cas [\"x\",[1,2]]\n1 fail cas [\"x\",null]"))
	f.Add(script.JSON("0 invoke write 1\n0 ok write 1\n1 invoke cas [1,2]\n1 ok cas [1,2]\n2 invoke read null\n2 ok read 1"))
	all := linearizable.RegisterWith(linearizable.Options{Refused: func(fallacy.Op) bool { return true }})
	f.Fuzz(func(t *testing.T, data []byte) {
		h := script.Lines(data)
		for _, c := range []*fallacy.Checker{all, linearizable.Register()} {
			if finding, err := c.Check(t.Context(), h); err == nil && finding.Verdict == fallacy.Valid && finding.Examined == 0 {
				t.Error("valid with nothing examined")
			}
		}
	})
}

// FuzzModels feeds the other checkers.
func FuzzModels(f *testing.F) {
	f.Add(script.JSON("0 invoke write [\"x\",1]\n0 ok write [\"x\",[1,1]]\n1 invoke cas [\"x\",[1,2]]\n1 ok cas [\"x\",[2,[1,2]]]\n1 invoke read [\"x\",null]\n1 ok read [\"x\",[2,2]]"))
	f.Add(script.JSON("0 invoke add 1\n0 info add 1\n1 invoke contains 1\n1 ok contains [1,true]\n1 invoke remove 1\n1 ok remove 1"))
	f.Add(script.JSON("0 invoke acquire null\n0 ok acquire null\n0 invoke release null\n0 ok release null"))
	f.Add(script.JSON("0 invoke enqueue 1\n0 ok enqueue 1\n1 invoke dequeue null\n1 ok dequeue 1"))
	all := append(shelf(), linearizable.Versioned(false))
	f.Fuzz(func(t *testing.T, data []byte) {
		h := script.Lines(data)
		for _, c := range all {
			finding, err := c.Check(t.Context(), h)
			if err != nil {
				continue
			}
			if finding.Verdict == fallacy.Valid && finding.Examined == 0 {
				t.Errorf("%s: valid with nothing examined", c.Name)
			}
			if strings.Contains(finding.Reason, "panics") {
				t.Errorf("%s: %s", c.Name, finding.Reason)
			}
		}
	})
}
