package nemesis

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const packetDoc = `lose, delay, duplicate, reorder or corrupt packets that some nodes send

Connections go on, more or less: the systems at both ends mend what they can.
Peers and clients are both affected. Without a variant each injection takes a kind
of trouble at random, for a random number of nodes. Whose packets may follow a
second colon: packet:loss:leader.

It takes a network of the nodes' own, as containers have (--on docker), or root on
machines of their own: elsewhere it is refused, and left out of --faults all.`

// trouble is something that happens to packets.
type trouble struct {
	name, doc string
	link      func(rng *rand.Rand) fallacy.Link
}

// share draws a share of the packets, in whole percents.
func share(rng *rand.Rand, low, high float64) fallacy.Share {
	return fallacy.Share(math.Round(100*between(rng, low, high)) / 100)
}

func troubles() []trouble {
	return []trouble{
		{"loss", "5 to 50 % of them are lost", func(rng *rand.Rand) fallacy.Link {
			return fallacy.Link{Loss: share(rng, 0.05, 0.5)}
		}},
		{"delay", "each is late by 10 to 300 ms, and up to half as much again", func(rng *rand.Rand) fallacy.Link {
			d := time.Duration(between(rng, float64(10*time.Millisecond), float64(300*time.Millisecond))).Round(time.Millisecond)
			return fallacy.Link{Delay: d, Jitter: d / 2}
		}},
		{"duplicate", "5 to 50 % of them arrive twice", func(rng *rand.Rand) fallacy.Link {
			return fallacy.Link{Duplicate: share(rng, 0.05, 0.5)}
		}},
		{"reorder", "10 to 70 % of them are overtaken by later ones", func(rng *rand.Rand) fallacy.Link {
			return fallacy.Link{Reorder: share(rng, 0.1, 0.7)}
		}},
		{"corrupt", "a bit is flipped in 5 to 30 % of them, and the receiver's checksums tell", func(rng *rand.Rand) fallacy.Link {
			return fallacy.Link{Corrupt: share(rng, 0.05, 0.3)}
		}},
	}
}

func packet() *Family {
	f := &Family{Name: "packet", Doc: packetDoc, Fallacy: reliable, Needs: []fallacy.Need{fallacy.NeedPackets}}
	kinds := troubles()
	f.choose = fromNodes(pick{from: random}, func(rng *rand.Rand) fallacy.Link { return kinds[rng.IntN(len(kinds))].link(rng) })
	for _, k := range kinds {
		f.Variants = append(f.Variants, Variant{
			Name: k.name, Doc: k.doc, choose: fromNodes(pick{from: random}, k.link),
			named: func(p pick) Variant {
				v := Variant{Name: k.name, Doc: k.doc, choose: fromNodes(p, k.link)}
				if p.needsPrimaries() {
					v.needs = []fallacy.Need{fallacy.NeedPrimaries}
				}
				return v
			},
		})
	}
	return f
}

// fromNodes makes every link that leaves the nodes picked what link draws.
func fromNodes(p pick, link func(rng *rand.Rand) fallacy.Link) choose {
	return func(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
		picked, err := conditionsOf(ctx, rng, c, p, func(*rand.Rand) fallacy.Condition { return fallacy.Condition{} })
		if err != nil {
			return nil, err
		}
		return linksOf(picked, c, false, link(rng)), nil
	}
}
