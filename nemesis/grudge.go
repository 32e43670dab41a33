package nemesis

import (
	"math/rand/v2"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Grudge says who drops whose packets: by node, those it hears nothing from.
// (The word and the shapes are Jepsen's.)
type Grudge map[string][]string

// conditions cuts the links that the grudge is about.
func (g Grudge) conditions() Conditions {
	c := make(Conditions)
	for to, froms := range g {
		for _, from := range froms {
			if c[from].Links == nil {
				c[from] = fallacy.Condition{Links: make(map[string]fallacy.Link)}
			}
			c[from].Links[to] = fallacy.Link{Cut: true}
		}
	}
	return c
}

// apart is the grudge of groups that hear nothing from each other.
func apart(groups ...[]string) Grudge {
	g := make(Grudge)
	for i, group := range groups {
		for j, other := range groups {
			if i == j {
				continue
			}
			for _, n := range group {
				g[n] = append(g[n], other...)
			}
		}
	}
	return g
}

// Halves splits nodes into a majority and a minority.
func Halves(rng *rand.Rand, nodes []string) Grudge {
	nodes = shuffled(rng, slices.Clone(nodes))
	half := (len(nodes) - 1) / 2
	if half == 0 {
		half = 1
	}
	return apart(nodes[:half], nodes[half:])
}

// Isolate cuts one node off from all others.
func Isolate(rng *rand.Rand, nodes []string) Grudge {
	nodes = shuffled(rng, slices.Clone(nodes))
	return apart(nodes[:1], nodes[1:])
}

// Bridge splits nodes into two halves that only one node sees both of.
func Bridge(rng *rand.Rand, nodes []string) Grudge {
	nodes = shuffled(rng, slices.Clone(nodes))
	rest := nodes[1:]
	return apart(rest[:len(rest)/2], rest[len(rest)/2:])
}

// MajoritiesRing lets every node see a majority, but no two the same one.
func MajoritiesRing(rng *rand.Rand, nodes []string) Grudge {
	ring := shuffled(rng, slices.Clone(nodes))
	n := len(ring)
	reach := (n/2 + 1) / 2 // neighbours on each side; with the node itself a majority
	g := make(Grudge)
	for i, node := range ring {
		for j, other := range ring {
			apart := (j - i + n) % n
			if min(apart, n-apart) > reach {
				g[node] = append(g[node], other)
			}
		}
	}
	return g
}

// Random cuts each pair of nodes with even odds, and at least one.
func Random(rng *rand.Rand, nodes []string) Grudge {
	g := make(Grudge)
	cut := func(a, b string) {
		g[a] = append(g[a], b)
		g[b] = append(g[b], a)
	}
	for i, a := range nodes {
		for _, b := range nodes[:i] {
			if rng.IntN(2) == 0 {
				cut(a, b)
			}
		}
	}
	if len(g) == 0 {
		two := shuffled(rng, slices.Clone(nodes))
		cut(two[0], two[1])
	}
	return g
}

// OneWay makes one node deaf to all others, or all others deaf to it.
func OneWay(rng *rand.Rand, nodes []string) Grudge {
	nodes = shuffled(rng, slices.Clone(nodes))
	one, rest := nodes[0], nodes[1:]
	if rng.IntN(2) == 0 {
		return Grudge{one: rest}
	}
	g := make(Grudge)
	for _, n := range rest {
		g[n] = []string{one}
	}
	return g
}

// CutClients cuts clients off from some of the nodes, there, back or both.
func CutClients(rng *rand.Rand, nodes []string) Grudge {
	nodes = shuffled(rng, slices.Clone(nodes))
	some := nodes[:1+rng.IntN(max(1, len(nodes)-1))]
	g := make(Grudge)
	way := rng.IntN(3)
	for _, n := range some {
		if way != 1 {
			g[n] = []string{fallacy.Clients}
		}
		if way != 0 {
			g[fallacy.Clients] = append(g[fallacy.Clients], n)
		}
	}
	return g
}
