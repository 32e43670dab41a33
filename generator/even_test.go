package generator_test

import (
	"math"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/generator"
)

// count returns how often each key was invoked.
func count[K comparable](h fallacy.History, key func(fallacy.Op) K) map[K]int {
	n := make(map[K]int)
	for _, op := range h {
		if op.Type == fallacy.Invoke {
			n[key(op)]++
		}
	}
	return n
}

// within checks that got is want, give or take five standard deviations of
// as many draws.
func within(t *testing.T, what any, got int, want float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > 5*math.Sqrt(want) {
		t.Errorf("%v: got %d ops, want about %.0f", what, got, want)
	}
}

// Work spreads evenly over the workers, whether they answer at once or crash,
// and however the plan picks them. Upstream, the first node once got twice the
// ops of the last.
func TestWorkIsSpreadEvenly(t *testing.T) {
	const workers, ops = 5, 10_000
	plans := map[string]fallacy.Generator{
		"op":      reads,
		"mix":     generator.Mix(reads, writes, cas),
		"each":    generator.EachWorker(writes),
		"any":     generator.Any(reads, writes),
		"rate":    generator.Rate(1e6, reads),
		"reserve": generator.Reserve(generator.Workers(2, reads), generator.Others(writes)),
		"keys":    generator.Independent(1, ints, func(fallacy.Value) fallacy.Generator { return generator.Limit(7, reads) }),
	}
	worlds := map[string]generator.World{
		"slow":     {Latency: 5 * time.Millisecond},
		"fast":     {Latency: 1},
		"crashing": {Answer: generator.Crashing},
		"random":   {Answer: generator.Imperfect},
	}
	for plan, g := range plans {
		for world, w := range worlds {
			w.Workers, w.MaxOps, w.MaxTime, w.Seed = workers, ops, math.MaxInt64/2, 7
			by := count(generator.Simulate(g, w), func(op fallacy.Op) int { return op.Process % workers })
			for worker := range workers {
				within(t, []any{plan, world, "worker", worker}, by[worker], ops/workers)
			}
		}
	}
}

// One op at a time, answered at once: all workers are free whenever the
// generator is asked, so that only its own choice decides.
func TestOneAtATimeIsSpreadEvenly(t *testing.T) {
	const workers, ops = 5, 10_000
	g := generator.ConcurrencyLimit(1, reads)
	by := count(generator.Simulate(g, generator.World{Workers: workers, MaxOps: ops}), func(op fallacy.Op) int { return op.Process })
	for worker := range workers {
		within(t, worker, by[worker], ops/workers)
	}
}

func TestMixKeepsItsProportions(t *testing.T) {
	const ops = 10_000
	function := func(op fallacy.Op) string { return op.F }
	for seed := range uint64(5) {
		w := generator.World{MaxOps: ops, Seed: seed}
		by := count(generator.Simulate(generator.Mix(reads, writes, cas), w), function)
		for f, n := range by {
			within(t, f, n, ops/3.0)
		}
		by = count(generator.Simulate(generator.Weighted(generator.Weigh(1, reads), generator.Weigh(3, writes), generator.Weigh(6, cas)), w), function)
		within(t, "weight 1", by["read"], ops*0.1)
		within(t, "weight 3", by["write"], ops*0.3)
		within(t, "weight 6", by["cas"], ops*0.6)
	}
}

func TestRateIsKept(t *testing.T) {
	for _, workers := range []int{1, 3, 30} {
		w := generator.World{Workers: workers, MaxTime: 100 * time.Second, MaxOps: 1e6, Latency: time.Millisecond}
		h := generator.Simulate(generator.Rate(100, reads), w)
		within(t, workers, len(h)/2, 100*100)
	}
}

// The choices depend on the seed, all of them, and on nothing else.
func TestTheSeedDecides(t *testing.T) {
	plan := generator.Stagger(time.Second, generator.Mix(reads, writes, cas))
	run := func(seed uint64) string {
		var s string
		for _, op := range generator.Simulate(plan, generator.World{Seed: seed, MaxOps: 50, Answer: generator.Imperfect}) {
			s += op.Time.String() + op.String() + "\n"
		}
		return s
	}
	if a, b := run(1), run(1); a != b {
		t.Errorf("one seed, two histories:\n%s\n%s", a, b)
	}
	if run(1) == run(2) {
		t.Error("two seeds, one history")
	}
}
