package generator_test

import (
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/generator"
)

// The supply of ops that the benchmarks combine, without end.
var (
	reads  = generator.Repeat(generator.Op("read", fallacy.Nil()))
	writes = generator.From(func(_ fallacy.Chance, n int) (string, fallacy.Value) { return "write", fallacy.Int(n) })
	cas    = generator.From(func(c fallacy.Chance, n int) (string, fallacy.Value) {
		return "cas", fallacy.Ints(c.At("old").IntN(5), n)
	})
)

func ints(i int) fallacy.Value { return fallacy.Int(i) }

// drive asks g for b.N ops by 100 workers and tells it of each invocation and
// completion, as a controller does, with free of them idle whenever it asks.
func drive(b *testing.B, free int, g fallacy.Generator) {
	b.Helper()
	now := fallacy.Moment{Workers: 100, Concurrency: 100, Nemeses: 2, Idle: []string{"kill", "partition"}}
	now.Chance = fallacy.NewChance(1)
	for p := range free {
		now.Free = append(now.Free, p*100/free)
	}
	b.ReportAllocs()
	for b.Loop() {
		op, rest := g.Next(now)
		for op == nil { // what has begun to wait, or taken a key
			op, rest = rest.Next(now)
		}
		now.Time = max(now.Time, op.Time) + time.Microsecond
		g = rest.Update(now, *op)
		op.Type = fallacy.OK
		g = g.Update(now, *op)
	}
}

func BenchmarkMix(b *testing.B) {
	drive(b, 100, generator.OnClients(generator.TimeLimit(1000*time.Hour,
		generator.Limit(1<<40, generator.Mix(reads, writes, cas)))))
}

func BenchmarkWeighted(b *testing.B) {
	drive(b, 100, generator.OnClients(generator.Weighted(generator.Weigh(9, reads), generator.Weigh(1, writes))))
}

func BenchmarkRate(b *testing.B) {
	drive(b, 100, generator.OnClients(generator.Rate(1e6, generator.Mix(reads, writes))))
}

func BenchmarkReserve(b *testing.B) {
	drive(b, 100, generator.Reserve(generator.Workers(20, writes), generator.Workers(20, cas), generator.Others(reads)))
}

func BenchmarkEachWorker(b *testing.B) {
	drive(b, 100, generator.EachWorker(generator.Mix(reads, writes)))
}

// BenchmarkWithFaults is what a run looks like: clients' ops beside two nemeses that sleep.
func BenchmarkWithFaults(b *testing.B) {
	faults := generator.Cycle(generator.Seq(generator.Sleep(10*time.Second), generator.Op("inject", fallacy.Nil()),
		generator.Sleep(10*time.Second), generator.Op("heal", fallacy.Nil())))
	drive(b, 100, generator.TimeLimit(1000*time.Hour, generator.Any(
		generator.OnClients(generator.Mix(reads, writes, cas)),
		generator.OnNemesis("kill", faults),
		generator.OnNemesis("partition", faults))))
}

func benchmarkIndependent(b *testing.B, free int) {
	drive(b, free, generator.OnClients(generator.Independent(5, ints, func(fallacy.Value) fallacy.Generator {
		return generator.Limit(100, generator.Mix(reads, writes, cas))
	})))
}

func BenchmarkIndependentAllFree(b *testing.B) { benchmarkIndependent(b, 100) }
func BenchmarkIndependentFewFree(b *testing.B) { benchmarkIndependent(b, 10) }

func BenchmarkIndependentReserve(b *testing.B) {
	drive(b, 100, generator.OnClients(generator.Independent(10, ints, func(fallacy.Value) fallacy.Generator {
		return generator.ProcessLimit(20, generator.Limit(100,
			generator.Reserve(generator.Workers(5, reads), generator.Others(generator.Mix(writes, cas)))))
	})))
}
