package txn_test

import (
	"runtime"
	"syscall"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

// BenchmarkCheck judges what simulated stores did. cpu-s is the CPU time of the
// process, its garbage collection included, for one history; MB what the checker
// holds and drops, the history not included.
func BenchmarkCheck(b *testing.B) {
	register := txn.Options{LinearizableKeys: true, WFRKeys: true}
	for _, c := range []struct {
		name string
		s    simulation
		o    txn.Options
		sep  bool // each read has memory of its own
		want fallacy.Verdict
	}{
		{"append", simulation{clients: 10}, txn.Options{}, false, fallacy.Valid},
		{"append/unshared", simulation{clients: 10}, txn.Options{}, true, fallacy.Valid},
		{"append/100clients", simulation{clients: 100}, txn.Options{}, false, fallacy.Valid},
		{"append/snapshot", simulation{clients: 10, level: snapshot, short: true}, txn.Options{}, false, fallacy.Invalid},
		{"append/prefix", simulation{clients: 10, level: prefix, short: true}, txn.Options{}, false, fallacy.Invalid},
		{"append/ring", simulation{}, txn.Options{}, false, fallacy.Invalid},
		{"register", simulation{clients: 10, registers: true}, txn.Options{}, false, fallacy.Valid},
		{"register/linearizable", simulation{clients: 10, registers: true}, register, false, fallacy.Valid},
		{"register/snapshot", simulation{clients: 10, registers: true, level: snapshot}, register, false, fallacy.Invalid},
		{"register/prefix", simulation{clients: 10, registers: true, level: prefix}, txn.Options{WFRKeys: true}, false, fallacy.Invalid},
	} {
		for _, n := range []int{10_000, 100_000, 1_000_000} {
			b.Run(c.name+"/"+name(n), func(b *testing.B) {
				s := c.s
				s.n = n
				var h fallacy.History
				if s.clients == 0 {
					h = ring(n, false)
				} else {
					h = s.run(1)
				}
				if c.sep {
					h = unshared(h)
				}
				checker := txn.AppendWith(c.o)
				if s.registers {
					checker = txn.RegisterWith(c.o)
				}
				runtime.GC()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				b.ResetTimer()
				start := cpu(b)
				for b.Loop() {
					f, err := checker.Check(b.Context(), h)
					if err != nil || f.Verdict != c.want {
						b.Fatal(f.Verdict, f.Reason, err, f.Details)
					}
					b.Log(f.Details.(txn.Details).Anomalies)
				}
				b.ReportMetric((cpu(b)-start)/float64(b.N), "cpu-s")
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/1e6, "MB")
			})
		}
	}
}

// cpu returns the CPU time that the process has taken, in seconds.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
