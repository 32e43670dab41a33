//go:build linux

package clock

import (
	"fmt"
	"testing"
)

// BenchmarkNow tells what reading the clock costs a process with the machine's clock, and one with its own.
func BenchmarkNow(b *testing.B) {
	for _, own := range []bool{false, true} {
		name, c := "machine", (*Clock)(nil)
		if own {
			name, c = "own", newClock(b)
		}
		b.Run(name, func(b *testing.B) {
			p := launch(b, c, child("bench"))
			var now, mono float64
			if _, err := fmt.Sscan(p.end(), &now, &mono); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(now, "ns/time.Now")
			b.ReportMetric(mono, "ns/time.Since")
		})
	}
}

// BenchmarkStart tells what it costs to give a process its clock.
func BenchmarkStart(b *testing.B) {
	for _, own := range []bool{false, true} {
		name, start := "machine", (*Clock)(nil)
		if own {
			name, start = "own", newClock(b)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				launch(b, start, child("idle")).end()
			}
		})
	}
}
