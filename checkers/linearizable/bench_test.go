package linearizable_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

func opaque(fallacy.Op) bool { return true }

// BenchmarkRegister judges long histories, and, where it can bear them,
// Porcupine judges the same with a model made for speed. The ratio of the times
// is reported.
func BenchmarkRegister(b *testing.B) {
	type row struct {
		load
		porcupine bool
	}
	rows := []row{
		{load{calls: 10_000, clients: 10, keys: 1}, true},
		{load{calls: 10_000, clients: 10, keys: 1, unknown: 0.01}, true},
		{load{calls: 10_000, clients: 10, keys: 1, stale: true}, true},
		{load{calls: 1_000_000, clients: 100, keys: 100}, true},
		{load{calls: 1_000_000, clients: 100, keys: 100, unknown: 0.05}, true},
		{load{calls: 1_000_000, clients: 500, keys: 100}, true}, // five to a key at a time
		{load{calls: 100_000, clients: 10, keys: 1, unknown: 0.01}, false},
	}
	for _, clients := range []int{5, 10, 30, 100} {
		for _, unknown := range []float64{0, 0.001, 0.01, 0.05} {
			rows = append(rows,
				row{load{calls: 1_000_000, clients: clients, keys: 1, unknown: unknown}, false},
				row{load{calls: 1_000_000, clients: clients, keys: 1, unknown: unknown, opaque: true}, false})
		}
	}
	for _, s := range rows {
		name := fmt.Sprintf("calls=%d/keys=%d/clients=%d/unknown=%v/opaque=%v/stale=%v", s.calls, s.keys, s.clients, s.unknown, s.opaque, s.stale)
		b.Run(name, func(b *testing.B) {
			h := s.history(5)
			want := fallacy.Valid
			if s.stale {
				want = fallacy.Invalid
			}
			checker := linearizable.Register()
			if s.opaque {
				checker = linearizable.RegisterWith(linearizable.Options{Refused: opaque})
			}
			runtime.GC()
			b.ReportAllocs()
			for b.Loop() {
				if f := check(b, checker, h); f.Verdict != want {
					b.Fatal(f.Verdict, f.Reason, f.Anomalies)
				}
			}
			ours := b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(ours.Microseconds())/1000, "ms")
			b.ReportMetric(0, "ns/op")
			if s.porcupine {
				begun := time.Now()
				operations := intOperations(h, s.opaque)
				start := time.Now()
				if ok := porcupine.CheckOperations(intModel, operations); ok == s.stale {
					b.Fatal(ok)
				}
				theirs := time.Since(start)
				b.ReportMetric(float64(theirs.Milliseconds()), "porcupine-ms")
				b.ReportMetric(float64(theirs)/float64(ours), "ratio")
				b.ReportMetric(float64(time.Since(begun))/float64(ours), "ratio-from-history")
			}
		})
	}
}

// BenchmarkSearch holds long histories against a model, by the windowed search.
func BenchmarkSearch(b *testing.B) {
	for _, s := range []load{
		{calls: 10_000, clients: 5, keys: 1},
		{calls: 10_000, clients: 10, keys: 1, unknown: 0.01},
		{calls: 100_000, clients: 5, keys: 1},
		{calls: 100_000, clients: 10, keys: 1},
		{calls: 1_000, clients: 30, keys: 1},
	} {
		b.Run(fmt.Sprintf("calls=%d/clients=%d/unknown=%v", s.calls, s.clients, s.unknown), func(b *testing.B) {
			h := s.history(5)
			checker := linearizable.CheckWithin(linearizable.CASRegister, linearizable.Budget{Time: 10 * time.Second})
			runtime.GC()
			b.ReportAllocs()
			verdict := fallacy.Unknown
			for b.Loop() {
				verdict = check(b, checker, h).Verdict
			}
			b.ReportMetric(float64(verdict), "verdict")
		})
	}
}
