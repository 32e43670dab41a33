package fallacy_test

import (
	"testing"

	"github.com/fallacy-dev/fallacy"
)

func TestChanceIsUniformAndRepeatable(t *testing.T) {
	root := fallacy.NewChance(7)
	const buckets, draws = 10, 20_000
	var counts [buckets]int
	for i := range draws {
		n := root.At("mix").Nth(i).IntN(buckets)
		if again := root.At("mix").Nth(i).IntN(buckets); again != n {
			t.Fatalf("asked twice: %d, then %d", n, again)
		}
		counts[n]++
	}
	for n, c := range counts {
		if c < draws/buckets*9/10 || c > draws/buckets*11/10 {
			t.Errorf("%d was drawn %d times of %d, want about %d", n, c, draws, draws/buckets)
		}
	}
}

func TestChanceSitesDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for _, seed := range []uint64{0, 1, 2} {
		root := fallacy.NewChance(seed)
		for _, site := range []string{"", "a", "b", "ab", "ba"} {
			for n := range 50 {
				at := root.At(site).Nth(n)
				if other, ok := seen[at.Uint64()]; ok {
					t.Fatalf("seed %d site %q draw %d equals %s", seed, site, n, other)
				}
				seen[at.Uint64()] = site
			}
		}
	}
}
