package remote

import (
	"context"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
)

// Ran is how the target was run on a node.
type Ran struct {
	Process fallacy.Process // as the target asked for it
	agent.Started
}

// Ran returns how the target was run, by the order of the nodes. It is known once
// Start has returned.
func (c *Cluster) Ran() []Ran { return c.ran }

// Samples hands over what the target used on each node so far. That of a node
// which does not answer is an error; the others' are handed over all the same.
func (c *Cluster) Samples(ctx context.Context, take func(node string, s agent.Samples) error) error {
	return c.each(func(i int) error {
		samples, err := c.agents[i].Samples(ctx)
		if err != nil {
			return err
		}
		return take(c.nodes[i].Name, samples)
	})
}
