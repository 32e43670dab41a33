package nemesis

import (
	"slices"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"pgregory.net/rapid"
)

func TestSplits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 9).Draw(t, "nodes")
		rng := fallacy.NewChance(rapid.Uint64().Draw(t, "seed")).Rand()
		_, c := clusterOf(size)
		nodes := c.Names()
		hears := func(g Grudge, to, from string) bool { return to == from || !slices.Contains(g[to], from) }
		sees := func(g Grudge, n string) (count int) {
			for _, m := range nodes {
				if hears(g, n, m) {
					count++
				}
			}
			return count
		}
		for _, s := range splits() {
			if s.nodes > size {
				continue
			}
			g := s.choose(rng, nodes)
			if len(g.conditions()) == 0 {
				t.Fatalf("%s cuts nothing among %d nodes", s.name, size)
			}
			for to, froms := range g {
				for _, from := range froms {
					if to == from {
						t.Fatalf("%s: %s bears a grudge against itself", s.name, to)
					}
					if s.name != "one-way" && s.name != "clients" && hears(g, from, to) {
						t.Fatalf("%s: %s does not hear %s, but the other way round", s.name, to, from)
					}
				}
			}
			if s.name == "ring" {
				for _, n := range nodes {
					if sees(g, n) <= size/2 {
						t.Fatalf("ring of %d: %s sees %d, no majority: %v", size, n, sees(g, n), g)
					}
				}
			}
			if s.name == "halves" && size > 2 {
				for _, n := range nodes {
					if k := sees(g, n); k == size || k == 0 {
						t.Fatalf("halves of %d: %s sees %d", size, n, k)
					}
				}
			}
			if s.name == "bridge" && size >= 3 {
				bridges := 0
				for _, n := range nodes {
					if sees(g, n) == size {
						bridges++
					}
				}
				if bridges != 1 {
					t.Fatalf("bridge of %d has %d bridges: %v", size, bridges, g)
				}
			}
		}
	})
}

func TestRingSeesNoTwoTheSame(t *testing.T) {
	g := MajoritiesRing(fallacy.NewChance(1).Rand(), []string{"a", "b", "c", "d", "e"})
	seen := map[string]string{}
	for n, grudge := range g {
		slices.Sort(grudge)
		key := strings.Join(grudge, ",")
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s see the same majority", n, other)
		}
		seen[key] = n
	}
	if len(seen) != 5 {
		t.Errorf("got %v", g)
	}
}
