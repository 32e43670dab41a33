package nemesis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// pick chooses nodes of a cluster.
type pick struct {
	name string // as it stands behind the colon
	doc  string
	// weight is how often it is taken where nobody asks for one. What leaves a
	// majority is taken more often: a system that is down shows few mistakes.
	weight int
	from   func(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) ([]string, error)
}

// needsPrimaries tells whether the target has to say who leads.
func (p pick) needsPrimaries() bool { return p.name == "leader" || p.name == "follower" }

// picks are the ways to choose nodes, for every fault that takes nodes.
func picks() []pick {
	return []pick{
		{"one", "one node at random", 3, some(func(n int) int { return 1 })},
		{"minority", "as many as leave a majority", 3, some(func(n int) int { return max(1, (n-1)/2) })},
		{"majority", "just over a half of them", 1, some(func(n int) int { return n/2 + 1 })},
		{"all", "every node", 1, some(func(n int) int { return n })},
		{"leader", "a node that says it leads", 0, leader},
		{"follower", "a node that does not say so", 0, follower},
		{"random", "any number of them at random", 0, random},
	}
}

// pickNamed returns the pick called name, which may be nodes joined by "+".
func pickNamed(name string) (pick, bool) {
	for _, p := range picks() {
		if p.name == name {
			return p, true
		}
	}
	nodes := strings.Split(name, "+")
	if slices.ContainsFunc(nodes, func(n string) bool { return !strings.ContainsAny(n, "0123456789") }) {
		return pick{}, false
	}
	return pick{name, "the nodes that are named", 0, func(_ context.Context, _ *rand.Rand, c fallacy.Cluster) ([]string, error) {
		for _, n := range nodes {
			if !slices.Contains(c.Names(), n) {
				return nil, fmt.Errorf("there is no node %q among %v", n, c.Names())
			}
		}
		return nodes, nil
	}}, true
}

func some(count func(n int) int) func(context.Context, *rand.Rand, fallacy.Cluster) ([]string, error) {
	return func(_ context.Context, rng *rand.Rand, c fallacy.Cluster) ([]string, error) {
		names := shuffled(rng, c.Names())
		return names[:min(count(len(names)), len(names))], nil
	}
}

func random(_ context.Context, rng *rand.Rand, c fallacy.Cluster) ([]string, error) {
	names := shuffled(rng, c.Names())
	return names[:1+rng.IntN(len(names))], nil
}

func shuffled(rng *rand.Rand, names []string) []string {
	rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// leaderPatience is how long to wait for somebody to lead.
const leaderPatience = 2 * time.Second

// leaders asks the target who leads, until somebody does.
func leaders(ctx context.Context, c fallacy.Cluster) ([]string, error) {
	target, ok := c.Target.(fallacy.Primaries)
	if !ok {
		return nil, errors.New("the target does not tell who leads")
	}
	ctx, cancel := context.WithTimeout(ctx, leaderPatience)
	defer cancel()
	tick := time.NewTicker(leaderPatience / 20)
	defer tick.Stop()
	for {
		names, err := target.Primaries(ctx, c.Nodes)
		if err == nil && len(names) > 0 {
			return names, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(errors.New("no node says that it leads"), err)
		}
	}
}

func leader(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) ([]string, error) {
	names, err := leaders(ctx, c)
	if err != nil {
		return nil, err
	}
	return names[rng.IntN(len(names)):][:1], nil
}

func follower(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) ([]string, error) {
	lead, err := leaders(ctx, c)
	if err != nil {
		return nil, err
	}
	rest := slices.DeleteFunc(c.Names(), func(n string) bool { return slices.Contains(lead, n) })
	if len(rest) == 0 {
		return nil, errors.New("every node says that it leads")
	}
	return rest[rng.IntN(len(rest)):][:1], nil
}
