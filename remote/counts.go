package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
)

// Datagrams of a ping where packets are counted, and what has to become of them.
const (
	manyDatagrams = 400
	// least of the share that is asked for has to be seen: chance alone comes
	// below a tenth once in millions of times.
	leastShare = 0.1
	// healedShare of the packets may be lost where none should be: a busy system
	// loses some by itself.
	healedShare = 0.3
	// countSettle is how long nothing arrives before the count is held to be complete.
	countSettle = 200 * time.Millisecond
)

// counts tells whether l does something to packets that only shows when many are counted.
func counts(l fallacy.Link) bool {
	return l.Loss > 0 || l.Duplicate > 0 || l.Reorder > 0 || l.Corrupt > 0
}

// isSlow tells whether what crosses p takes its time.
func (c *Cluster) isSlow(p pair) bool {
	l := c.link(p)
	return l.Delay > 0 || l.Jitter > 0 || l.Rate > 0
}

// many is how many datagrams a ping from node is made of, by peer: many where
// packets are to be counted, or where few might all be lost on their way or back.
func (c *Cluster) many(node string) map[string]int {
	if c.noPackets != nil {
		return nil
	}
	many := make(map[string]int)
	for _, peer := range append(c.names(), fallacy.Clients) {
		there, back := pair{node, peer}, pair{peer, node}
		if c.measured(there) || c.counted[back] && c.link(back).Rate == 0 && c.link(there).Rate == 0 {
			many[peer] = manyDatagrams
		}
	}
	return many
}

// measured tells whether the packets that cross p are counted. On a link of
// limited rate they would take too long.
func (c *Cluster) measured(p pair) bool {
	back := pair{p.to, p.from}
	open := !c.closed(p) && (p.to != fallacy.Clients || !c.closed(back) && c.link(back).Rate == 0)
	return c.noPackets == nil && c.counted[p] && open && c.link(p).Rate == 0
}

// countAnswers makes of the answers to clients' pings what arrived of what nodes
// sent to clients, who have nobody else to count for them.
func (c *Cluster) countAnswers(seen sight) {
	_, answers := c.probes.Tallies()
	for node, t := range answers {
		if asked, ok := seen.tally[pair{fallacy.Clients, node}]; ok && t.Seq == c.seq {
			t.Sent = asked.Arrived + asked.Repeated
			seen.tally[pair{node, fallacy.Clients}] = t
		}
	}
}

// settle looks on until the counts of the links touched do not change any more.
func (c *Cluster) settle(ctx context.Context, touched scope, seen sight) (sight, error) {
	measured := false
	for p := range touched.links {
		measured = measured || c.measured(p)
	}
	if !measured {
		return seen, nil
	}
	ctx, cancel := context.WithTimeout(ctx, probePatience+c.slowest())
	defer cancel()
	tick := time.NewTicker(countSettle)
	defer tick.Stop()
	for {
		before := seen.tally
		select {
		case <-tick.C:
		case <-ctx.Done():
			return seen, nil
		}
		var err error
		if seen, err = c.look(ctx); err != nil {
			return seen, err
		}
		same := true
		for p := range touched.links {
			same = same && (!c.measured(p) || before[p] == seen.tally[p] && before[p].Arrived > 0)
		}
		if same {
			return seen, nil
		}
	}
}

// judgeCounts compares what became of the packets that were counted with what
// should have.
func (c *Cluster) judgeCounts(pairs []pair, seen sight) ([]fallacy.Field, error) {
	var all []fallacy.Value
	var errs []error
	for _, p := range slices.DeleteFunc(slices.Clone(pairs), func(p pair) bool { return !c.measured(p) }) {
		t := seen.tally[p]
		all = append(all, fallacy.Object(
			fallacy.Field{Name: "link", Value: fallacy.String(p.String())},
			fallacy.Field{Name: "sent", Value: fallacy.Int(t.Sent)}, fallacy.Field{Name: "arrived", Value: fallacy.Int(t.Arrived)},
			fallacy.Field{Name: "repeated", Value: fallacy.Int(t.Repeated)}, fallacy.Field{Name: "overtaken", Value: fallacy.Int(t.Overtaken)},
		))
		errs = append(errs, judgeCount(p, c.link(p), t))
	}
	if len(all) == 0 {
		return nil, nil
	}
	return []fallacy.Field{{Name: "packets", Value: fallacy.List(all...)}}, errors.Join(errs...)
}

func judgeCount(p pair, l fallacy.Link, t agent.Tally) error {
	if t.Sent == 0 || t.Arrived == 0 {
		return fmt.Errorf("none of the packets that %s sent was seen to arrive at %s", p.from, p.to)
	}
	sent, arrived := float64(t.Sent), float64(t.Arrived)
	var errs []error
	for _, w := range []struct {
		what  string
		asked fallacy.Share
		seen  float64
	}{
		{"lost", either(l.Loss, l.Corrupt), 1 - arrived/sent},
		{"arrived twice", l.Duplicate, float64(t.Repeated) / arrived},
		{"was overtaken", l.Reorder, float64(t.Overtaken) / arrived},
	} {
		switch {
		case w.asked > 0 && w.seen < float64(w.asked)*leastShare:
			errs = append(errs, fmt.Errorf("%s: %.1f %% %s of %d packets, want %.1f %%", p, 100*w.seen, w.what, t.Sent, 100*float64(w.asked)))
		case w.asked == 0 && w.seen > healedShare && (w.what == "lost" || p.to != fallacy.Clients):
			// What happened to the question shows in the answer as well.
			errs = append(errs, fmt.Errorf("%s: %.1f %% %s of %d packets, want none", p, 100*w.seen, w.what, t.Sent))
		}
	}
	return errors.Join(errs...)
}
