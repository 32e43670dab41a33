package nemesis

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const partitionDoc = `cut the network between nodes, or between nodes and clients

What is sent across a cut is dropped, as by a firewall: nobody is told. Without a
variant each injection takes a shape at random.`

// split is a shape of partition.
type split struct {
	name, doc string
	choose    func(rng *rand.Rand, nodes []string) Grudge
}

func splits() []split {
	return []split{
		{"halves", "a majority and a minority", Halves},
		{"isolate", "one node, and all others", Isolate},
		{"bridge", "two halves that one node sees both of", Bridge},
		{"ring", "every node sees a majority, no two the same", MajoritiesRing},
		{"random", "each pair of nodes with even odds", Random},
		{"one-way", "one node is deaf to all others, or they to it", OneWay},
		{"clients", "clients cannot reach some nodes, or not hear their answers", CutClients},
	}
}

func partition() *Family {
	f := &Family{
		Name: "partition", Doc: partitionDoc, Fallacy: reliable,
		Needs: []fallacy.Need{fallacy.NeedLinks}, Nodes: 2,
	}
	shapes := splits()
	f.choose = func(_ context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
		for range 100 { // a shape may cut nothing in a small cluster
			if g := shapes[rng.IntN(len(shapes))].choose(rng, c.Names()); len(g) > 0 {
				return g.conditions(), nil
			}
		}
		return nil, errors.New("nothing to cut")
	}
	for _, s := range shapes {
		f.Variants = append(f.Variants, Variant{Name: s.name, Doc: s.doc, choose: func(_ context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
			g := s.choose(rng, c.Names())
			if len(g) == 0 {
				return nil, errors.New("this shape cuts nothing among so few nodes")
			}
			return g.conditions(), nil
		}})
	}
	f.Variants = append(f.Variants, Variant{
		Name: "leader", Doc: "the leader, and all others", needs: []fallacy.Need{fallacy.NeedPrimaries},
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
