package nemesis

import (
	"context"
	"math/rand/v2"

	"github.com/fallacy-dev/fallacy"
)

const killDoc = `kill the target's process with SIGKILL, and start it again at the heal

What the process had not written to a file is lost; what it had written but not
synced is not, for the system that holds it goes on.`

const pauseDoc = `stop the target's process with SIGSTOP, and let it go on at the heal

A paused process looks dead to others, and notices nothing itself: to it, no time
has passed. (Garbage collectors and virtual machines do this.)`

const restartDoc = `end the target's process with SIGTERM, and start it again at the heal

What an operator does for an upgrade, or a scheduler for its own reasons.`

// processFault brings the processes of the nodes picked into a state.
func processFault(name, doc, fallacyOf string, state fallacy.ProcessState) *Family {
	return onNodes(&Family{Name: name, Doc: doc, Fallacy: fallacyOf, Needs: []fallacy.Need{fallacy.NeedProcess}},
		func(*rand.Rand) fallacy.Condition { return fallacy.Condition{Process: state} })
}

// onNodes gives f a variant for every way to pick nodes. Without a variant each
// injection picks a way at random, by weight.
func onNodes(f *Family, condition func(rng *rand.Rand) fallacy.Condition) *Family {
	var anyhow []pick
	for _, p := range picks() {
		for range p.weight {
			anyhow = append(anyhow, p)
		}
		f.Variants = append(f.Variants, variantOf(p, condition))
	}
	f.choose = func(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
		return conditionsOf(ctx, rng, c, anyhow[rng.IntN(len(anyhow))], condition)
	}
	f.named = func(p pick) Variant { return variantOf(p, condition) }
	return f
}

func variantOf(p pick, condition func(rng *rand.Rand) fallacy.Condition) Variant {
	v := Variant{Name: p.name, Doc: p.doc, choose: func(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
		return conditionsOf(ctx, rng, c, p, condition)
	}}
	if p.needsPrimaries() {
		v.needs = []fallacy.Need{fallacy.NeedPrimaries}
	}
	return v
}

func conditionsOf(ctx context.Context, rng *rand.Rand, c fallacy.Cluster, p pick, condition func(rng *rand.Rand) fallacy.Condition) (Conditions, error) {
	nodes, err := p.from(ctx, rng, c)
	if err != nil {
		return nil, err
	}
	conditions := make(Conditions)
	for _, n := range nodes {
		conditions[n] = condition(rng)
	}
	return conditions, nil
}
