package nemesis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const partitionDoc = `cut the network between nodes, or between nodes and clients

What is sent across a cut is dropped, as by a firewall: nobody is told. Without a
variant each injection takes a shape at random, of those that cut something among so
many nodes; a node alone can only be cut off from clients.`

// split is a shape of partition.
type split struct {
	name, doc string
	nodes     int // the fewest among which it cuts something
	choose    func(rng *rand.Rand, nodes []string) Grudge
}

func splits() []split {
	return []split{
		{"halves", "a majority and a minority", 2, Halves},
		{"isolate", "one node, and all others", 2, Isolate},
		{"bridge", "two halves that one node sees both of", 3, Bridge},
		{"ring", "every node sees a majority, no two the same", 4, MajoritiesRing},
		{"random", "each pair of nodes with even odds", 2, Random},
		{"one-way", "one node is deaf to all others, or they to it", 2, OneWay},
		{"clients", "clients cannot reach some nodes, or not hear their answers", 1, CutClients},
	}
}

func partition() *Family {
	f := &Family{
		Name: "partition", Doc: partitionDoc, Fallacy: reliable,
		Needs: []fallacy.Need{fallacy.NeedLinks},
	}
	shapes := splits()
	f.choose = func(_ context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
		fit := slices.DeleteFunc(splits(), func(s split) bool { return s.nodes > len(c.Nodes) })
		for range 100 { // a shape may cut nothing by chance
			if g := fit[rng.IntN(len(fit))].choose(rng, c.Names()); len(g) > 0 {
				return g.conditions(), nil
			}
		}
		return nil, errors.New("nothing to cut")
	}
	for _, s := range shapes {
		f.Variants = append(f.Variants, Variant{Name: s.name, Doc: s.doc, Nodes: s.nodes, choose: func(_ context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
			if len(c.Nodes) < s.nodes {
				return nil, fmt.Errorf("this shape takes at least %d nodes, and there are %d", s.nodes, len(c.Nodes))
			}
			return s.choose(rng, c.Names()).conditions(), nil
		}})
	}
	f.Variants = append(f.Variants, Variant{
		Name: "leader", Doc: "the leader, and all others", Nodes: 2, needs: []fallacy.Need{fallacy.NeedPrimaries},
		choose: func(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
			lead, err := leader(ctx, rng, c)
			if err != nil {
				return nil, err
			}
			rest := slices.DeleteFunc(c.Names(), func(n string) bool { return n == lead[0] })
			return apart(lead, rest).conditions(), nil
		},
	})
	return f
}
