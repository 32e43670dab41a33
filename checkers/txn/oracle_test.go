package txn_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

var rounds = flag.Int("rounds", 100, "random histories to compare with a search, for each of the combinations")

// orders searches for an order in which transactions could have run one at a time.
type orders struct {
	calls  []fallacy.Call
	before []uint64 // who must come before each, as bits
	state  map[string][]int
}

// search tells whether there is such an order that keeps what order says of two
// calls: that the first must come before the second.
func search(h fallacy.History, order func(a, b fallacy.Call) bool) bool {
	o := &orders{state: make(map[string][]int)}
	for c := range h.Calls() {
		if c.Type() != fallacy.Fail {
			o.calls = append(o.calls, c)
		}
	}
	o.before = make([]uint64, len(o.calls))
	for i, a := range o.calls {
		for j, b := range o.calls {
			if a.Type() == fallacy.OK && order(a, b) {
				o.before[j] |= 1 << i
			}
		}
	}
	return o.from(0)
}

// from tells whether the rest can follow what is done. Those of which nobody
// knows whether they happened may be left out.
func (o *orders) from(done uint64) bool {
	left := false
	for i, c := range o.calls {
		if done>>i&1 != 0 {
			continue
		}
		left = left || c.Type() == fallacy.OK
		if o.before[i]&^done != 0 {
			continue
		}
		undo, ok := o.run(c)
		if ok && o.from(done|1<<i) {
			return true
		}
		for key, list := range undo {
			o.state[key] = list
		}
	}
	return !left
}

func (o *orders) run(c fallacy.Call) (undo map[string][]int, ok bool) {
	undo = make(map[string][]int)
	ops, _ := c.Value().Txn()
	for _, op := range ops {
		key := op.Key.String()
		has := o.state[key]
		if n, isWrite := op.Value.Int(); isWrite && op.F != "r" {
			if _, again := undo[key]; !again {
				undo[key] = has
			}
			o.state[key] = append(slices.Clip(has), n)
			continue
		}
		if c.Type() == fallacy.OK && !agrees(op.Value, has) {
			return undo, false
		}
	}
	return undo, true
}

// agrees tells whether a read of a list, or of a register, saw what is there.
func agrees(v fallacy.Value, has []int) bool {
	if n, isInt := v.Int(); isInt {
		return len(has) > 0 && has[len(has)-1] == n
	}
	list, _ := v.Ints()
	return slices.Equal(list, has)
}

func inRealtime(a, b fallacy.Call) bool { return a.Complete.Index < b.Invoke.Index }

func inProcess(a, b fallacy.Call) bool {
	return b.Type() == fallacy.OK && a.Invoke.Process == b.Invoke.Process && a.Invoke.Index < b.Invoke.Index
}

func unordered(fallacy.Call, fallacy.Call) bool { return false }

// ordered are models that are an order of transactions one at a time.
var ordered = []struct {
	model string
	keeps func(a, b fallacy.Call) bool
	// assumptions that follow from the model, for registers
	assume txn.Options
}{
	{"serializable", unordered, txn.Options{WFRKeys: true}},
	{"strong-session-serializable", inProcess, txn.Options{WFRKeys: true, SequentialKeys: true}},
	{"strict-serializable", inRealtime, txn.Options{WFRKeys: true, LinearizableKeys: true}},
}

var stores = []lists{{}, {torn: true}, {torn: true, final: true}, {lossy: true}, {lossy: true, final: true}}

// TestAppendAgreesWithSearch compares verdicts on random histories with a search
// for an order. They must agree: reads of lists tell all that can be told.
func TestAppendAgreesWithSearch(t *testing.T) {
	for _, m := range ordered {
		t.Run(m.model, func(t *testing.T) {
			checker := txn.AppendWith(txn.Options{Models: []string{m.model}})
			count := make(map[fallacy.Verdict]int)
			compareWithSearch(t, func(h fallacy.History) {
				got, err := checker.Check(t.Context(), h)
				if err != nil {
					t.Fatalf("%v\n%s", err, text(h))
				}
				count[got.Verdict]++
				if want := search(h, m.keeps); got.Verdict != fallacy.Unknown && want != (got.Verdict == fallacy.Valid) {
					t.Fatalf("there is an order: %v\n%s\n%s", want, script.Finding(got), text(h))
				}
			}, false)
			t.Log(count)
		})
	}
}

// TestRegisterAgreesWithSearch: where there is an order no anomaly may be found.
// Where there is none it may be missed, as registers do not tell all; but with
// the assumptions that the model warrants, few are.
func TestRegisterAgreesWithSearch(t *testing.T) {
	for _, m := range ordered {
		t.Run(m.model, func(t *testing.T) {
			m.assume.Models = []string{m.model}
			checkers := []*fallacy.Checker{txn.RegisterWith(txn.Options{Models: []string{m.model}}), txn.RegisterWith(m.assume)}
			illegal, found := 0, make([]int, 2)
			compareWithSearch(t, func(h fallacy.History) {
				want := search(h, m.keeps)
				if !want {
					illegal++
				}
				for i, checker := range checkers {
					got, err := checker.Check(t.Context(), h)
					if err != nil {
						t.Fatalf("%v\n%s", err, text(h))
					}
					if got.Verdict != fallacy.Invalid {
						continue
					}
					found[i]++
					if want {
						t.Fatalf("there is an order\n%s\n%s", script.Finding(got), text(h))
					}
				}
			}, true)
			t.Logf("%d illegal, found without assumptions %d, with %d", illegal, found[0], found[1])
			if found[0] == 0 || found[1] < illegal*3/4 {
				t.Errorf("of %d illegal histories only %v are found", illegal, found)
			}
		})
	}
}

func compareWithSearch(t *testing.T, each func(h fallacy.History), regs bool) {
	rng := rand.New(rand.NewPCG(11, 1))
	for _, s := range stores {
		if regs && s.lossy {
			continue // a register that happens twice looks as before
		}
		s.regs = regs
		for range *rounds {
			each(randomTxns(rng, 5+rng.IntN(4), s))
		}
	}
}

// TestClassesAgreeWithEnumeration compares the names of the cycles found with
// those of all cycles there are, one by one.
func TestClassesAgreeWithEnumeration(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	seen := make(map[string]int)
	for _, regs := range []bool{false, true} {
		for _, models := range [][]string{{"strict-serializable"}, {"strong-session-serializable"}, {"serializable"}} {
			o := txn.Options{Models: models, WFRKeys: true}
			for i := range *rounds {
				h := randomTxns(rng, 4+rng.IntN(3), lists{torn: true, regs: regs})
				want, got, err := txn.AllClasses(h, map[bool]string{false: "append", true: "w"}[regs], o, []int{-1, 1_000_000}[i%2])
				if err != nil {
					t.Fatal(err, text(h))
				}
				if !slices.Equal(got, want) {
					t.Fatalf("got %v, want %v\n%s", got, want, text(h))
				}
				for _, name := range got {
					seen[name]++
				}
			}
		}
	}
	t.Log(seen)
}

// TestModelsOfStores: what a store keeps by construction must not be ruled out.
func TestModelsOfStores(t *testing.T) {
	for _, c := range []struct {
		level  level
		models []string
	}{
		{serial, []string{"strict-serializable"}},
		{snapshot, []string{"snapshot-isolation"}},
	} {
		for _, registers := range []bool{false, true} {
			t.Run(fmt.Sprint(c.models, registers), func(t *testing.T) {
				for seed := range uint64(5) {
					h := simulation{level: c.level, clients: 10, n: 500, registers: registers}.run(seed)
					checker := txn.AppendWith(txn.Options{Models: c.models})
					if registers {
						checker = txn.RegisterWith(txn.Options{Models: c.models, WFRKeys: true, LinearizableKeys: true})
					}
					f, err := checker.Check(t.Context(), h)
					if err != nil || f.Verdict != fallacy.Valid {
						t.Fatal(err, script.Finding(f))
					}
				}
			})
		}
	}
}
