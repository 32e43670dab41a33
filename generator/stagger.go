package generator

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Stagger spreads the ops of g over time at random: between one op and the next
// lies a time drawn from [0, 2·mean). The mean is of all ops together, whoever
// performs them, not of each worker's. The first op is not delayed. When
// the clients cannot keep up, it makes up for at most ten ops, so that a stall
// does not end in a flood.
func Stagger(mean time.Duration, g fallacy.Generator) fallacy.Generator {
	return &stagger{mean: max(mean, 0), g: g}
}

// Rate is [Stagger] in ops a second: 0.5 is an op every two seconds. It panics
// if the rate is not positive.
func Rate(perSecond float64, g fallacy.Generator) fallacy.Generator {
	if !(perSecond > 0) {
		panic("generator: Rate must be positive")
	}
	return Stagger(time.Duration(float64(time.Second)/perSecond), g)
}

// catchUp is how many ops Stagger may be behind and still make up for.
const catchUp = 10

type stagger struct {
	mean  time.Duration
	begun bool
	due   time.Duration // no op before
	n     int           // ops so far
	g     fallacy.Generator
}

func (s *stagger) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	there := now
	there.Chance = now.Chance.At("staggered")
	op, rest := next(s.g, there)
	switch {
	case op == nil && same(rest, s.g) && rest != nil:
		return nil, s
	case op == nil && rest == nil:
		return nil, nil
	case op == nil || op.Type != fallacy.Invoke:
		return op, &stagger{s.mean, s.begun, s.due, s.n, rest}
	}
	due := s.due
	if !s.begun {
		due = op.Time
	}
	op = notBefore(due, op)
	if rest == nil {
		return op, nil
	}
	gap := time.Duration(now.Chance.At("stagger").Nth(s.n).Float64() * 2 * float64(s.mean))
	return op, &stagger{s.mean, true, max(due, op.Time-catchUp*s.mean) + gap, s.n + 1, rest}
}

func (s *stagger) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	now.Chance = now.Chance.At("staggered")
	g := update(s.g, now, event)
	if same(g, s.g) {
		return s
	}
	return &stagger{s.mean, s.begun, s.due, s.n, g}
}

func (s *stagger) deaf() bool { return deaf(s.g) }

// notBefore returns op, at t if it was to be earlier.
func notBefore(t time.Duration, op *fallacy.Op) *fallacy.Op {
	if op.Time >= t {
		return op
	}
	moved := *op
	moved.Time = t
	return &moved
}
