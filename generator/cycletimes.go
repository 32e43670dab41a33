package generator

import (
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Window is a generator with the time it has in each round of [CycleTimes].
type Window struct {
	Length    time.Duration
	Generator fallacy.Generator
}

// During is a window of some length, for [CycleTimes].
func During(length time.Duration, g fallacy.Generator) Window { return Window{length, g} }

// CycleTimes gives each generator a window of time in turn, round after round.
// A generator goes on in its next window where it was at the end of its last. It
// begins when it is first asked. In the windows of an exhausted generator
// nothing happens; when all are exhausted, so is CycleTimes. It panics if a
// window has no length.
//
//	generator.CycleTimes(
//		generator.During(5*time.Second, writes),
//		generator.During(10*time.Second, reads))
func CycleTimes(windows ...Window) fallacy.Generator {
	c := &cycleTimes{windows: windows}
	for _, w := range windows {
		if w.Length <= 0 {
			panic("generator: a window of CycleTimes must have a length")
		}
		c.round += w.Length
		c.gs = append(c.gs, w.Generator)
	}
	return c
}

type cycleTimes struct {
	windows []Window // for their lengths
	round   time.Duration
	gs      []fallacy.Generator
	begun   bool
	start   time.Duration
}

func (c *cycleTimes) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if exhausted(c.gs) {
		return nil, nil
	}
	after := *c
	if !c.begun {
		after.begun, after.start = true, now.Time
	}
	i, end := after.window(now.Time)
	changed := !c.begun
	for k := range c.gs { // a window that has no op before it ends leaves it to those after
		there := c.at(now, i)
		if k > 0 {
			there = later(there, end-after.windows[i].Length)
		}
		op, rest := next(after.gs[i], there)
		if op != nil && op.Time < end {
			if changed && op.Time > now.Time {
				return nil, &after // or the start would be forgotten
			}
			return op, after.with(i, rest)
		}
		if op == nil && k == 0 && !same(rest, after.gs[i]) {
			after, changed = *after.with(i, rest), true
		}
		if op == nil && rest != nil {
			break // it may have one any time
		}
		i = (i + 1) % len(c.gs)
		end += after.windows[i].Length
	}
	if !changed {
		return nil, c
	}
	return nil, &after
}

// window returns which window t falls into, and when that ends.
func (c *cycleTimes) window(t time.Duration) (i int, end time.Duration) {
	end = t - (t-c.start)%c.round
	for i, w := range c.windows {
		if end += w.Length; t < end {
			return i, end
		}
	}
	panic("generator: CycleTimes was asked about a time before it began")
}

func (c *cycleTimes) with(i int, g fallacy.Generator) *cycleTimes {
	after := *c
	after.gs = slices.Clone(c.gs)
	after.gs[i] = g
	return &after
}

func (c *cycleTimes) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	gs, changed := updateAll(c.gs, func(i int) fallacy.Moment { return c.at(now, i) }, event)
	if !changed {
		return c
	}
	after := *c
	after.gs = gs
	return &after
}

func (c *cycleTimes) deaf() bool { return allDeaf(c.gs) }

func (c *cycleTimes) at(now fallacy.Moment, i int) fallacy.Moment {
	now.Chance = now.Chance.At("window").Nth(i)
	return now
}
