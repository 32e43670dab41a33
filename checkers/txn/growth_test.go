package txn_test

import (
	"runtime"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

// TestGrowth guards that the work stays near-linear, by what is allocated: of ten
// times as many transactions each must take hardly more memory, and never more than
// a fixed amount. Allocations are for keys and for sets of circles, not for
// transactions.
func TestGrowth(t *testing.T) {
	for _, registers := range []bool{false, true} {
		o := txn.Options{LinearizableKeys: true, WFRKeys: true}
		checker, most := txn.AppendWith(o), 1200.0
		if registers {
			checker, most = txn.RegisterWith(o), 2400
		}
		var each [2]float64
		for i, n := range []int{5_000, 50_000} {
			h := simulation{clients: 10, n: n, registers: registers}.run(2)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f, err := checker.Check(t.Context(), h)
			runtime.ReadMemStats(&after)
			if err != nil || f.Verdict != fallacy.Valid {
				t.Fatal(f.Verdict, err)
			}
			each[i] = float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
			if allocs := float64(after.Mallocs-before.Mallocs) / float64(n); allocs > 0.5 {
				t.Errorf("registers %v: %.2f allocations a transaction of %d, want at most 0.5", registers, allocs, n)
			}
		}
		t.Logf("registers %v: %.0f bytes a transaction, and %.0f of ten times as many", registers, each[0], each[1])
		if each[1] > most || each[1] > 1.3*each[0] {
			t.Errorf("registers %v: %.0f bytes a transaction, and %.0f of ten times as many; want at most %.0f", registers, each[0], each[1], most)
		}
	}
}
