package nemesis

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Schedule says when a fault is injected and healed: over and over, a quiet time
// and then the fault, each of a random length between half and one and a half of
// its mean. The times depend on the seed alone, not on how long faults take, but
// for one: a fault that takes long to come into force then stays for a while.
type Schedule struct {
	Quiet time.Duration // on average between a heal and the next injection
	Fault time.Duration // on average between an injection and its heal
}

// Generator returns the schedule as a generator.
func (s Schedule) Generator() fallacy.Generator { return turns{Schedule: s} }

// turns is the schedule before its nth turn, which is due a while after last.
type turns struct {
	Schedule
	n     int
	last  time.Duration
	stays time.Duration // until then, what was injected last
}

// Next injects and heals in turns.
func (g turns) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	length, f := g.Quiet, "inject"
	if g.n%2 == 1 {
		length, f = g.Fault, "heal"
	}
	share := 0.5 + now.Chance.At("turn").Nth(g.n).Float64()
	due := g.last + time.Duration(share*float64(length))
	if len(now.Idle) == 0 {
		return nil, g
	}
	op := &fallacy.Op{Time: max(due, g.stays), Process: fallacy.NemesisProcess, Nemesis: now.Idle[0], F: f}
	return op, turns{Schedule: g.Schedule, n: g.n + 1, last: due}
}

// Update sees to it that what has just come into force stays for a while.
func (g turns) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.Type == fallacy.Info && event.F == "inject" {
		g.stays = now.Time + g.Fault/3
	}
	return g
}
