package nemesis

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const resetDoc = `break off the connections of some nodes, and refuse new ones

Both ends are told at once, unlike with a partition. Clients are affected as well
as peers.`

const stallDoc = `leave the connections of some nodes half-open

They seem alive, but what is sent on them is lost, for good: only a timeout tells.
New connections are half-open too until the heal. Clients are affected as well as
peers.`

const delayDoc = `delay what some nodes send, by 10 to 500 ms, with jitter

Order is kept. Peers and clients both get the node's messages late.`

const rateDoc = `throttle what some nodes send, to between 5,000 and 100,000 bytes a second

Each link of a node has the rate for itself.`

// linkFault makes every link that leaves the nodes picked what link draws. With
// both, links towards them as well.
func linkFault(f *Family, both bool, link func(rng *rand.Rand) fallacy.Link) *Family {
	f.Needs = []fallacy.Need{fallacy.NeedLinks}
	onNodes(f, func(*rand.Rand) fallacy.Condition { return fallacy.Condition{} })
	spread := func(pickNodes choose) choose {
		return func(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
			picked, err := pickNodes(ctx, rng, c)
			if err != nil {
				return nil, err
			}
			return linksOf(picked, c, both, link(rng)), nil
		}
	}
	f.choose = spread(f.choose)
	for i := range f.Variants {
		f.Variants[i].choose = spread(f.Variants[i].choose)
	}
	named := f.named
	f.named = func(p pick) Variant {
		v := named(p)
		v.choose = spread(v.choose)
		return v
	}
	return f
}

func linksOf(picked Conditions, c fallacy.Cluster, both bool, link fallacy.Link) Conditions {
	all := make(Conditions)
	set := func(from, to string) {
		if all[from].Links == nil {
			all[from] = fallacy.Condition{Links: make(map[string]fallacy.Link)}
		}
		all[from].Links[to] = link
	}
	for node := range picked {
		for _, peer := range append(c.Names(), fallacy.Clients) {
			if peer == node {
				continue
			}
			set(node, peer)
			if both {
				set(peer, node)
			}
		}
	}
	return all
}

func reset() *Family {
	return linkFault(&Family{Name: "reset", Doc: resetDoc, Fallacy: reliable}, true,
		func(*rand.Rand) fallacy.Link { return fallacy.Link{Reset: true} })
}

func stall() *Family {
	return linkFault(&Family{Name: "stall", Doc: stallDoc, Fallacy: reliable}, true,
		func(*rand.Rand) fallacy.Link { return fallacy.Link{Stall: true} })
}

func delay() *Family {
	return linkFault(&Family{Name: "delay", Doc: delayDoc, Fallacy: zeroLatency}, false, func(rng *rand.Rand) fallacy.Link {
		d := time.Duration(between(rng, float64(10*time.Millisecond), float64(500*time.Millisecond))).Round(time.Millisecond)
		return fallacy.Link{Delay: d, Jitter: d / 4}
	})
}

func rate() *Family {
	return linkFault(&Family{Name: "rate", Doc: rateDoc, Fallacy: infiniteBandwidth}, false, func(rng *rand.Rand) fallacy.Link {
		return fallacy.Link{Rate: int(math.Round(between(rng, 5_000, 100_000)))}
	})
}
