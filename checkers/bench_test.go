package checkers_test

import (
	"math/rand/v2"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
)

// fewReads is a set that is read once in a thousand calls.
type fewReads struct{ set }

func (s *fewReads) ask(rng *rand.Rand) (string, fallacy.Value) {
	if rng.IntN(1000) == 0 {
		return "read", fallacy.Nil()
	}
	return "add", fallacy.Int(rng.IntN(1 << 40))
}

// BenchmarkObjects judges long healthy histories with some outcomes unknown.
func BenchmarkObjects(b *testing.B) {
	const calls = 200_000
	for _, s := range []struct {
		object  object
		checker *fallacy.Checker
	}{
		{new(fewReads), checkers.Set()},
		{new(counter), checkers.Counter()},
		{new(queue), checkers.Queue()},
		{new(counter), checkers.Stats()},
	} {
		b.Run(s.checker.Name, func(b *testing.B) {
			h := randomHistory(rand.New(rand.NewPCG(1, 1)), s.object, shape{calls: calls, info: 0.01})
			b.ReportAllocs()
			for b.Loop() {
				if f, err := s.checker.Check(b.Context(), h); err != nil || f.Verdict != fallacy.Valid {
					b.Fatal(err, f.Verdict, f.Reason, f.Anomalies)
				}
			}
			b.ReportMetric(calls*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
