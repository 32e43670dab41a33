package remote

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
)

// Impose makes conditions all that fault does to the cluster; see [fallacy.Control].
func (c *Cluster) Impose(ctx context.Context, fault string, conditions map[string]fallacy.Condition) error {
	known := append([]string{fallacy.Clients}, c.names()...)
	for name, cond := range conditions {
		if !slices.Contains(known, name) {
			return fmt.Errorf("impose %s: there is no node %q", fault, name)
		}
		if name == fallacy.Clients && (cond.Process != fallacy.Running || cond.Clock != fallacy.Skew{}) {
			return fmt.Errorf("impose %s: clients have links only", fault)
		}
		for peer, l := range cond.Links {
			if !slices.Contains(known, peer) || peer == name {
				return fmt.Errorf("impose %s: there is no link from %s to %q", fault, name, peer)
			}
			if counts(l) && c.noPackets != nil {
				return fmt.Errorf("impose %s: %w", fault, c.noPackets)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(conditions) == 0 {
		delete(c.imposed, fault)
	} else {
		c.imposed[fault] = maps.Clone(conditions)
	}
	c.touched[fault] = c.touched[fault].union(scopeOf(conditions))
	c.breaks(conditions)
	for from, cond := range conditions {
		for to, l := range cond.Links {
			if counts(l) {
				c.counted[pair{from, to}] = true
			}
		}
	}
	// A call that nobody waits for any more may still be on its way: what is newer counts.
	c.states++
	return c.each(func(i int) error { return c.agents[i].Apply(ctx, c.state(c.nodes[i].Name)) })
}

// Replace has p run on a node from now on; see [fallacy.Control].
func (c *Cluster) Replace(ctx context.Context, node string, p fallacy.Process) error {
	i := slices.Index(c.names(), node)
	if i < 0 {
		return fmt.Errorf("replace what runs on %q: there is no such node", node)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.agents[i].Replace(ctx, p)
}

func (c *Cluster) names() []string {
	names := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		names[i] = n.Name
	}
	return names
}

// state is all that is wrong with node, of all faults together.
func (c *Cluster) state(node string) agent.State {
	own := c.condition(node)
	s := agent.State{Seq: c.states, Process: own.Process, Clock: own.Clock, Out: own.Links, In: make(map[string]fallacy.Link)}
	if !c.started {
		s.Process = fallacy.Killed
	}
	for _, peer := range append(c.names(), fallacy.Clients) {
		if l, ok := c.condition(peer).Links[node]; ok {
			s.In[peer] = l
		}
	}
	return s
}

// condition is what all faults together impose on node.
func (c *Cluster) condition(node string) fallacy.Condition {
	all := fallacy.Condition{Links: make(map[string]fallacy.Link)}
	for _, fault := range slices.Sorted(maps.Keys(c.imposed)) {
		one := c.imposed[fault][node]
		all.Process = max(all.Process, one.Process)
		all.Clock = addSkew(all.Clock, one.Clock)
		for peer, l := range one.Links {
			all.Links[peer] = addLink(all.Links[peer], l)
		}
	}
	return all
}

func addSkew(a, b fallacy.Skew) fallacy.Skew {
	return fallacy.Skew{
		Offset: a.Offset + b.Offset,
		Drift:  a.Drift + b.Drift,
		Strobe: max(a.Strobe, b.Strobe),
		Frozen: a.Frozen || b.Frozen,
	}
}

func addLink(a, b fallacy.Link) fallacy.Link {
	sum := fallacy.Link{
		Cut:    a.Cut || b.Cut,
		Reset:  a.Reset || b.Reset,
		Stall:  a.Stall || b.Stall,
		Delay:  a.Delay + b.Delay,
		Jitter: a.Jitter + b.Jitter,
		Rate:   max(a.Rate, b.Rate),

		Loss:      either(a.Loss, b.Loss),
		Duplicate: either(a.Duplicate, b.Duplicate),
		Reorder:   either(a.Reorder, b.Reorder),
		Corrupt:   either(a.Corrupt, b.Corrupt),
	}
	if a.Rate > 0 && b.Rate > 0 {
		sum.Rate = min(a.Rate, b.Rate)
	}
	return sum
}

// either is the share that meets one of two shares, which know nothing of each other.
func either(a, b fallacy.Share) fallacy.Share { return 1 - (1-a)*(1-b) }

// scope is what a fault touches: by mechanism, the nodes, and for links the
// directed pairs.
type scope struct {
	process, clock map[string]bool
	links          map[pair]bool
}

// pair is one direction between two nodes, of which one may be the clients.
type pair struct{ from, to string }

func (p pair) String() string { return p.from + ">" + p.to }

func scopeOf(conditions map[string]fallacy.Condition) scope {
	s := scope{process: map[string]bool{}, clock: map[string]bool{}, links: map[pair]bool{}}
	for node, cond := range conditions {
		if cond.Process != fallacy.Running {
			s.process[node] = true
		}
		if cond.Clock != (fallacy.Skew{}) {
			s.clock[node] = true
		}
		for peer, l := range cond.Links {
			if l != (fallacy.Link{}) {
				s.links[pair{node, peer}] = true
			}
		}
	}
	return s
}

func (s scope) union(o scope) scope {
	u := scopeOf(nil)
	for _, one := range []scope{s, o} {
		maps.Copy(u.process, one.process)
		maps.Copy(u.clock, one.clock)
		maps.Copy(u.links, one.links)
	}
	return u
}

// everything is the scope of all that there is.
func (c *Cluster) everything() scope {
	s := scopeOf(nil)
	names := c.names()
	for _, n := range names {
		s.process[n], s.clock[n] = true, true
		s.links[pair{n, fallacy.Clients}], s.links[pair{fallacy.Clients, n}] = true, true
		for _, m := range names {
			if n != m {
				s.links[pair{n, m}] = true
			}
		}
	}
	return s
}
