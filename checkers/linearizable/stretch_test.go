package linearizable_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

// TestStretches finds the same however a history is cut into stretches to be read.
func TestStretches(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	verdicts := make(map[fallacy.Verdict]int)
	for i := range 3000 {
		s := shape{calls: 40, processes: 2 + rng.IntN(6), refusals: "seen", info: 0.1, damage: 0.1 * float64(i%3), repeat: i%7 == 0}
		var options linearizable.Options
		if i%5 == 0 {
			s.refusals, options.Refused = "nothing", opaque
		}
		h := keyed(rng, randomHistory(rng, s))
		whole := check(t, linearizable.RegisterWith(options), h)
		verdicts[whole.Verdict]++
		for _, length := range []int{1, 2, 3, 7, 20, 50} {
			got := check(t, linearizable.RegisterByStretches(options, length), h)
			if got.Verdict != whole.Verdict || got.Examined != whole.Examined {
				t.Fatalf("stretches of %d: got %v of %d, want %v of %d, in\n%v", length, got.Verdict, got.Examined, whole.Verdict, whole.Examined, h)
			}
			if diff := cmp.Diff(whole.Details, got.Details); diff != "" {
				t.Fatalf("stretches of %d: %s", length, diff)
			}
		}
	}
	if verdicts[fallacy.Valid] < 500 || verdicts[fallacy.Invalid] < 500 {
		t.Errorf("got %v, want many of each verdict", verdicts)
	}
}

// keyed gives some histories a key, of one kind or the other, and values that
// are no small ints.
func keyed(rng *rand.Rand, h fallacy.History) fallacy.History {
	keys := [...]fallacy.Value{fallacy.Nil(), fallacy.Int(1_000_000), fallacy.String("x")}
	key := keys[rng.IntN(len(keys))]
	if key.IsNil() {
		return h
	}
	for i := range h {
		h[i].Value = fallacy.Tuple(key, h[i].Value)
	}
	return h
}

// TestLateCompletions: what a stretch has of calls that began before it.
func TestLateCompletions(t *testing.T) {
	write := func(p int, typ fallacy.Type, v int) fallacy.Op {
		return fallacy.Op{Process: p, Type: typ, F: "write", Value: fallacy.Int(v)}
	}
	read := func(p int, typ fallacy.Type, v fallacy.Value) fallacy.Op {
		return fallacy.Op{Process: p, Type: typ, F: "read", Value: v}
	}
	h := fallacy.History{
		write(0, fallacy.Invoke, 900_000),
		read(1, fallacy.Invoke, fallacy.Nil()),
		write(2, fallacy.Invoke, 5),
		write(2, fallacy.OK, 5),
		read(3, fallacy.OK, fallacy.Int(7)), // nobody asked
		write(0, fallacy.OK, 900_000),
		read(1, fallacy.OK, fallacy.Int(5)),
		read(1, fallacy.Invoke, fallacy.Nil()),
		read(1, fallacy.OK, fallacy.Nil()), // stale
	}
	for i := range h {
		h[i].Index = i
	}
	for length := 1; length <= len(h); length++ {
		f := check(t, linearizable.RegisterByStretches(linearizable.Options{}, length), h)
		if f.Verdict != fallacy.Invalid || f.Examined != 4 {
			t.Errorf("stretches of %d: got %v of %d, want invalid of 4", length, f.Verdict, f.Examined)
		}
		f = check(t, linearizable.RegisterByStretches(linearizable.Options{}, length), h[:7])
		if f.Verdict != fallacy.Valid || f.Examined != 3 {
			t.Errorf("stretches of %d, without the stale read: got %v of %d, want valid of 3", length, f.Verdict, f.Examined)
		}
	}
}
