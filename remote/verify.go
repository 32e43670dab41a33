package remote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
)

// Verify looks at the effect of what is imposed; see [fallacy.Control]. What is
// imposed does not change while it looks.
func (c *Cluster) Verify(ctx context.Context, fault string) (fallacy.Value, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	c.looks.Lock()
	defer c.looks.Unlock()
	touched, healed := c.touched[fault], c.imposed[fault] == nil
	if fault == "" {
		touched = c.everything()
	}
	nodes, err := c.verifyNodes(ctx, fault, touched)
	links, linksErr := c.verifyLinks(ctx, touched)
	err = errors.Join(err, linksErr)
	if err == nil && healed {
		delete(c.touched, fault)
	}
	return fallacy.Object(append(nodes, links...)...), err
}

// verifyNodes looks at processes and clocks.
func (c *Cluster) verifyNodes(ctx context.Context, fault string, touched scope) ([]fallacy.Field, error) {
	if err := errors.Join(c.readable(touched), c.own(fault), c.crossed(fault)); err != nil {
		return nil, err // there is nothing to look at
	}
	reports := make([]agent.Report, len(c.nodes))
	err := c.each(func(i int) error {
		name := c.nodes[i].Name
		look := agent.Look{Process: c.started && touched.process[name], Clock: c.started && touched.clock[name] && c.greets[i].Clock == ""}
		if look == (agent.Look{}) {
			return nil
		}
		r, err := c.agents[i].Report(ctx, look)
		reports[i] = r
		return errors.Join(err, complaint(name, "", r.Tripped), complaint(name, "process", r.ProcessErr), complaint(name, "clock", r.ClockErr))
	})
	var processes, clocks []fallacy.Field
	for i, r := range reports {
		name := c.nodes[i].Name
		cond := c.condition(name)
		if touched.process[name] {
			state := fmt.Sprintf("%s, process %d, start %d", cond.Process, r.Process.PID, r.Process.Starts)
			processes = append(processes, fallacy.Field{Name: name, Value: fallacy.String(state)})
		}
		if touched.clock[name] {
			read := fallacy.String("its process is " + cond.Process.String() + " and reads no clock")
			if cond.Process == fallacy.Running {
				read = fallacy.Int(int(r.Skew))
			}
			clocks = append(clocks, fallacy.Field{Name: name, Value: read})
		}
	}
	var fields []fallacy.Field
	if len(processes) > 0 {
		fields = append(fields, fallacy.Field{Name: "process", Value: fallacy.Object(processes...)})
	}
	if len(clocks) > 0 {
		fields = append(fields, fallacy.Field{Name: "skew_ns", Value: fallacy.Object(clocks...)})
	}
	return fields, err
}

// own returns an error if fault wants processes to be in some state and all of
// them are in a worse one on account of other faults: it then did nothing.
func (c *Cluster) own(fault string) error {
	wanted := false
	for name, cond := range c.imposed[fault] {
		if cond.Process == fallacy.Running {
			continue
		}
		if c.condition(name).Process == cond.Process {
			return nil
		}
		wanted = true
	}
	if wanted {
		return errors.New("every process that it is about was ended by another fault before")
	}
	return nil
}

// readable returns an error if no process whose clock is to be looked at runs:
// a skew that nobody can have noticed took no effect.
func (c *Cluster) readable(touched scope) error {
	skewed := false
	for name := range touched.clock {
		cond := c.condition(name)
		if cond.Clock != (fallacy.Skew{}) && cond.Process == fallacy.Running {
			return nil
		}
		skewed = skewed || cond.Clock != fallacy.Skew{}
	}
	if !skewed {
		return nil
	}
	return errors.New("no process whose clock was skewed is running")
}

func complaint(node, of, text string) error {
	switch {
	case text == "":
		return nil
	case of == "":
		return fmt.Errorf("%s: %s", node, text)
	}
	return fmt.Errorf("%s: %s: %s", node, of, text)
}

// Times of a round of probes.
const (
	probePatience = 3 * time.Second        // for a ping that should arrive, beyond the link's delays
	probeSettle   = 100 * time.Millisecond // for one that should not, once the others have arrived
	probeEvery    = 5 * time.Millisecond
)

// verifyLinks sends a round of probes across all links, and compares what
// arrived on the links touched with what should have.
func (c *Cluster) verifyLinks(ctx context.Context, touched scope) ([]fallacy.Field, error) {
	if len(touched.links) == 0 {
		return nil, nil
	}
	c.seq++
	round := agent.Ping{Seq: c.seq}
	if err := c.each(func(i int) error {
		name := c.nodes[i].Name
		return c.agents[i].Ping(ctx, agent.Ping{Seq: c.seq, Bytes: c.ballast(name), Many: c.many(name)})
	}); err != nil {
		return nil, err
	}
	round.Bytes, round.Many = c.ballast(fallacy.Clients), c.many(fallacy.Clients)
	c.probes.Ping(round)
	ctx, cancel := context.WithTimeout(ctx, probePatience+c.slowest())
	defer cancel()
	seen, err := c.gather(ctx, touched)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(slices.Collect(maps.Keys(touched.links)), c.closed) {
		settle := time.NewTimer(probeSettle)
		defer settle.Stop()
		<-settle.C
		if seen, err = c.look(context.WithoutCancel(ctx)); err != nil {
			return nil, err
		}
	}
	if seen, err = c.settle(context.WithoutCancel(ctx), touched, seen); err != nil {
		return nil, err
	}
	return c.judgeLinks(touched, seen)
}

// link returns what is in force from one node to another.
func (c *Cluster) link(p pair) fallacy.Link { return c.condition(p.from).Links[p.to] }

// closed tells whether nothing should get across.
func (c *Cluster) closed(p pair) bool {
	l := c.link(p)
	return l.Cut || l.Reset || l.Stall
}

// ballast is what pings from node carry so that rates can be measured: a fifth
// of a second's worth.
func (c *Cluster) ballast(node string) map[string]int {
	bytes := make(map[string]int)
	for peer, l := range c.condition(node).Links {
		if l.Rate > 0 {
			bytes[peer] = l.Rate / 5
		}
	}
	return bytes
}

// slowest is the longest that a ping may take there and back, by what is imposed.
func (c *Cluster) slowest() (most time.Duration) {
	for _, node := range append(c.names(), fallacy.Clients) {
		for _, l := range c.condition(node).Links {
			most = max(most, 4*(l.Delay+l.Jitter)+time.Second)
		}
	}
	return most
}

// sight is what a round of probes has shown so far.
type sight struct {
	heard map[pair]bool          // the ping arrived
	rtt   map[pair]time.Duration // and was answered, after this long
	tally map[pair]agent.Tally   // of its datagrams
}

// gather looks again and again until every ping that should arrive has, or the
// time is over.
func (c *Cluster) gather(ctx context.Context, touched scope) (sight, error) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		seen, err := c.look(context.WithoutCancel(ctx))
		if err != nil || c.complete(touched, seen) {
			return seen, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return seen, nil
		}
	}
}

func (c *Cluster) complete(touched scope, seen sight) bool {
	for p := range touched.links {
		if !c.closed(p) && !c.arrived(p, seen) && !c.unseen(p) {
			return false
		}
	}
	return true
}

// arrived tells whether something was seen to cross from one node to another.
// At clients nobody listens: answers to their own pings tell.
func (c *Cluster) arrived(p pair, seen sight) bool {
	if p.to == fallacy.Clients {
		_, echoed := seen.rtt[pair{p.to, p.from}]
		return echoed || c.closed(pair{p.to, p.from}) // what was never asked cannot be answered
	}
	if c.isSlow(p) && !c.closed(pair{p.to, p.from}) {
		_, echoed := seen.rtt[p] // its delay is known when the answer is there
		return echoed
	}
	return seen.heard[p]
}

func (c *Cluster) look(ctx context.Context) (sight, error) {
	seen := sight{heard: make(map[pair]bool), rtt: make(map[pair]time.Duration), tally: make(map[pair]agent.Tally)}
	reports := make([]agent.Report, len(c.nodes))
	err := c.each(func(i int) (err error) {
		reports[i], err = c.agents[i].Report(ctx, agent.Look{})
		return errors.Join(err, complaint(c.nodes[i].Name, "", reports[i].Tripped))
	})
	note := func(from string, echoed map[string]uint64, rtt map[string]time.Duration) {
		for to, seq := range echoed {
			if seq == c.seq {
				seen.rtt[pair{from, to}] = rtt[to]
				c.stands(pair{from, to})
			}
		}
	}
	for i, r := range reports {
		for from, seq := range r.Heard {
			seen.heard[pair{from, c.nodes[i].Name}] = seq == c.seq
		}
		note(c.nodes[i].Name, r.Echoed, r.RTT)
		for from, t := range r.Tallies {
			if t.Seq == c.seq {
				seen.tally[pair{from, c.nodes[i].Name}] = t
			}
		}
	}
	echoed, rtt := c.probes.Echoes()
	note(fallacy.Clients, echoed, rtt)
	c.countAnswers(seen)
	return seen, err
}

// judgeLinks compares what was seen with what should have been.
func (c *Cluster) judgeLinks(touched scope, seen sight) ([]fallacy.Field, error) {
	var closed, slow, unseen []fallacy.Value
	var errs []error
	open := 0
	pairs := slices.SortedFunc(maps.Keys(touched.links), func(a, b pair) int {
		return slices.Compare([]string{a.from, a.to}, []string{b.from, b.to})
	})
	for _, p := range pairs {
		l, back := c.link(p), c.link(pair{p.to, p.from})
		rtt, echoed := seen.rtt[p]
		least := l.Delay + back.Delay
		if l.Rate > 0 {
			least += time.Second / 5
		}
		switch {
		case c.closed(p) && p.to == fallacy.Clients:
			if _, answered := seen.rtt[pair{p.to, p.from}]; answered {
				errs = append(errs, fmt.Errorf("%s still answers clients", p.from))
			}
			closed = append(closed, fallacy.String(p.String()))
		case c.closed(p) && seen.heard[p]:
			errs = append(errs, fmt.Errorf("%s still hears %s", p.to, p.from))
		case c.closed(p):
			closed = append(closed, fallacy.String(p.String()))
		case !c.arrived(p, seen) && c.unseen(p):
			unseen = append(unseen, fallacy.String(p.String()))
		case !c.arrived(p, seen):
			errs = append(errs, fmt.Errorf("%s does not hear %s", p.to, p.from))
		case echoed && rtt < least*9/10:
			errs = append(errs, fmt.Errorf("%s and back took %v, want at least %v", p, rtt, least))
		case echoed && least > 0:
			slow = append(slow, fallacy.List(fallacy.String(p.String()), fallacy.Int(int(rtt))))
			open++
		default:
			open++
		}
	}
	fields := []fallacy.Field{{Name: "open_links", Value: fallacy.Int(open)}}
	if len(closed) > 0 {
		fields = append(fields, fallacy.Field{Name: "closed_links", Value: fallacy.List(closed...)})
	}
	if len(unseen) > 0 {
		fields = append(fields, fallacy.Field{Name: "unseen_links", Value: fallacy.List(unseen...)})
	}
	if len(slow) > 0 {
		fields = append(fields, fallacy.Field{Name: "rtt_ns", Value: fallacy.List(slow...)})
	}
	counts, err := c.judgeCounts(pairs, seen)
	return append(fields, counts...), errors.Join(append(errs, err)...)
}
