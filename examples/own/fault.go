package main

import (
	"context"
	"math/rand/v2"

	"github.com/fallacy-dev/fallacy"
)

// Rolling ends one node in order, as an upgrade does, and starts it at the heal.
var Rolling = fallacy.Nemesis{
	Name: "rolling",
	Doc: `a node is ended in order, and started again at the heal

One node at a time, as when a new version is rolled out.`,
	Fallacy: "there is one administrator",
	Needs:   []fallacy.Need{fallacy.NeedProcess},
	Fault:   rolling{},
}

// rolling is stateless: what is in force is known by its name to the nodes' agents.
type rolling struct{}

// Inject ends a node drawn from rng.
func (rolling) Inject(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (fallacy.Value, error) {
	node := c.Nodes[rng.IntN(len(c.Nodes))].Name
	damage := fallacy.Object(fallacy.Field{Name: node, Value: fallacy.String("ended in order")})
	return damage, c.Impose(ctx, "rolling", map[string]fallacy.Condition{node: {Process: fallacy.Terminated}})
}

// Verify looks at the process table.
func (rolling) Verify(ctx context.Context, c fallacy.Cluster) (fallacy.Value, error) {
	return c.Verify(ctx, "rolling")
}

// Heal imposes nothing, and sees to it that this is so.
func (rolling) Heal(ctx context.Context, c fallacy.Cluster) error {
	if err := c.Impose(ctx, "rolling", nil); err != nil {
		return err
	}
	_, err := c.Verify(ctx, "rolling")
	return err
}
