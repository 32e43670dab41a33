package generator

import (
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// race finds out which of several generators has the soonest op, and keeps what
// the others have become by being asked.
type race struct {
	start  time.Duration
	gs     []fallacy.Generator // as they are now
	cloned bool                // whether gs is the race's own
	begun  bool                // whether one of those without an op began to wait for something
	op     *fallacy.Op         // the soonest so far
	rest   fallacy.Generator
	winner int
}

func newRace(gs []fallacy.Generator, now fallacy.Moment) race {
	return race{start: now.Time, gs: gs}
}

// ask lets the ith generator take part, and tells whether the race is decided.
func (r *race) ask(i int, now fallacy.Moment) (decided bool) {
	g := r.gs[i]
	if g == nil {
		return false
	}
	op, rest := g.Next(now)
	switch {
	case op == nil && rest == nil:
		r.set(i, nil)
	case op == nil && !same(rest, g):
		r.set(i, rest)
		r.begun = true
	case op != nil && (r.op == nil || op.Time < r.op.Time):
		r.op, r.rest, r.winner = op, rest, i
	}
	return r.op != nil && r.op.Time <= r.start
}

func (r *race) set(i int, g fallacy.Generator) {
	if !r.cloned {
		r.gs, r.cloned = slices.Clone(r.gs), true
	}
	r.gs[i] = g
}

// end returns the op that won. It returns nil although there is one when
// that one is for later and somebody began to wait meanwhile: who asked would
// forget it, as he keeps the state before an op until the op is performed.
func (r *race) end() *fallacy.Op {
	if r.op == nil || r.begun && r.op.Time > r.start {
		return nil
	}
	r.set(r.winner, r.rest)
	return r.op
}
