package generator

import "github.com/fallacy-dev/fallacy"

// Cycle is all of g, again and again, for ever. Each round begins with g as it
// was given, though with other chances. When a whole round has no op and no
// wait in it, the cycle is exhausted.
func Cycle(g fallacy.Generator) fallacy.Generator { return Times(-1, g) }

// Times is all of g, n times over. Less than 0 times is for ever.
func Times(n int, g fallacy.Generator) fallacy.Generator {
	if n == 0 {
		return nil
	}
	return &cycle{fresh: g, g: g, rounds: n}
}

type cycle struct {
	fresh, g fallacy.Generator // g at its beginning, and what remains of this round
	round    int
	rounds   int
}

func (c *cycle) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	until, paused := pause(c.g)
	op, rest := next(c.g, c.at(now))
	switch {
	case op != nil && rest == nil:
		return op, c.again()
	case op != nil:
		return op, &cycle{c.fresh, rest, c.round, c.rounds}
	case rest == nil && same(c.g, c.fresh):
		return nil, nil
	case rest == nil:
		return next(c.again(), now)
	}
	if paused {
		if op, rest := next(c.again(), later(now, until)); op != nil {
			return op, rest
		}
	}
	if same(rest, c.g) {
		return nil, c
	}
	return nil, &cycle{c.fresh, rest, c.round, c.rounds}
}

func (c *cycle) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if deaf(c.g) {
		return c
	}
	g := c.g.Update(c.at(now), event)
	if same(g, c.g) {
		return c
	}
	if g == nil {
		return c.again()
	}
	return &cycle{c.fresh, g, c.round, c.rounds}
}

func (c *cycle) deaf() bool { return deaf(c.g) }

func (c *cycle) at(now fallacy.Moment) fallacy.Moment {
	now.Chance = now.Chance.At("cycle").Nth(c.round)
	return now
}

// again returns the next round.
func (c *cycle) again() fallacy.Generator {
	if c.round+1 == c.rounds {
		return nil
	}
	return &cycle{c.fresh, c.fresh, c.round + 1, c.rounds}
}
