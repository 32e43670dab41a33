package nemesis

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const clockDoc = `make the wall clock of some nodes' processes wrong

Only the target's process is affected, not the machine, and only its wall clock:
monotonic clocks, and so timeouts, stay right. Without a variant each injection
takes a kind of wrongness at random, for a random number of nodes. Who is to be
skewed may follow a second colon: clock:freeze:leader.`

// wrongness is a way for a clock to be wrong.
type wrongness struct {
	name, doc string
	skew      func(rng *rand.Rand) fallacy.Skew
}

func wrongnesses() []wrongness {
	return []wrongness{
		{"step", "forward or back at once, by 100 ms to 5 minutes", func(rng *rand.Rand) fallacy.Skew {
			return fallacy.Skew{Offset: offset(rng, 100*time.Millisecond, 5*time.Minute)}
		}},
		{"drift", "too fast or too slow, by 1 % to 50 %", func(rng *rand.Rand) fallacy.Skew {
			ppm := math.Round(between(rng, 10_000, 500_000))
			return fallacy.Skew{Drift: sign(rng) * ppm}
		}},
		{"strobe", "forth and back every 10 to 500 ms, by 100 ms to a minute", func(rng *rand.Rand) fallacy.Skew {
			period := time.Duration(between(rng, float64(10*time.Millisecond), float64(500*time.Millisecond)))
			return fallacy.Skew{Offset: offset(rng, 100*time.Millisecond, time.Minute), Strobe: period}
		}},
		{"freeze", "it stands still", func(*rand.Rand) fallacy.Skew { return fallacy.Skew{Frozen: true} }},
	}
}

// between draws from the logarithmic scale between two positive numbers, so that
// small and large wrongs are as likely.
func between(rng *rand.Rand, low, high float64) float64 {
	return low * math.Pow(high/low, rng.Float64())
}

func sign(rng *rand.Rand) float64 { return float64(1 - 2*rng.IntN(2)) }

func offset(rng *rand.Rand, low, high time.Duration) time.Duration {
	return time.Duration(sign(rng) * between(rng, float64(low), float64(high)))
}

func clock() *Family {
	f := &Family{Name: "clock", Doc: clockDoc, Fallacy: oneAdministrator, Needs: []fallacy.Need{fallacy.NeedClock}}
	kinds := wrongnesses()
	anyKind := func(rng *rand.Rand) fallacy.Condition {
		return fallacy.Condition{Clock: kinds[rng.IntN(len(kinds))].skew(rng)}
	}
	anyNodes := pick{from: random}
	f.choose = func(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
		return conditionsOf(ctx, rng, c, anyNodes, anyKind)
	}
	for _, k := range kinds {
		condition := func(rng *rand.Rand) fallacy.Condition { return fallacy.Condition{Clock: k.skew(rng)} }
		v := variantOf(anyNodes, condition)
		v.Name, v.Doc = k.name, k.doc
		v.named = func(p pick) Variant { return variantOf(p, condition) }
		f.Variants = append(f.Variants, v)
	}
	return f
}
