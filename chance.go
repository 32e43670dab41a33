package fallacy

import (
	"math/bits"
	"math/rand/v2"
)

// Chance is where random choices come from: a place in a tree of hashes that
// grows from the run's seed. A choice depends on the seed, the site where it is
// drawn and a counter there, and on no other choice; taking one choice out of a
// plan leaves all others as they were. Chance is a value: asking the same place
// twice gives the same answer.
type Chance struct{ state uint64 }

// NewChance returns the root of the tree that grows from seed.
func NewChance(seed uint64) Chance { return Chance{mix(seed ^ 0x9e3779b97f4a7c15)} }

// At returns the place called site below c.
func (c Chance) At(site string) Chance {
	h := c.state
	for i := 0; i < len(site); i++ {
		h = (h ^ uint64(site[i])) * 0x100000001b3
	}
	return Chance{mix(h ^ uint64(len(site))<<56)}
}

// Nth returns the nth place below c, n being what the caller counts.
func (c Chance) Nth(n int) Chance { return Chance{mix(c.state + uint64(n)*0xd1342543de82ef95)} }

// Uint64 returns the choice at c, uniform over 64 bits.
func (c Chance) Uint64() uint64 { return mix(c.state ^ 0x2545f4914f6cdd1d) }

// IntN returns the choice at c, uniform over [0, n). It panics if n <= 0.
func (c Chance) IntN(n int) int {
	if n <= 0 {
		panic("fallacy: Chance.IntN of nothing to choose from")
	}
	high, _ := bits.Mul64(c.Uint64(), uint64(n))
	return int(high)
}

// Float64 returns the choice at c, uniform over [0, 1).
func (c Chance) Float64() float64 { return float64(c.Uint64()>>11) / (1 << 53) }

// Rand returns a generator of any number of choices that starts from c. Two
// calls give two generators that agree.
func (c Chance) Rand() *rand.Rand { return rand.New(rand.NewPCG(c.Uint64(), c.state)) }

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of x
// moves every bit of the result.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
