package generator

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Share is a generator with the number of workers it has to itself in [Reserve].
type Share struct {
	Workers   int // less than 0: all that the other shares leave
	Generator fallacy.Generator
}

// Workers is a share of n workers, for [Reserve].
func Workers(n int, g fallacy.Generator) Share { return Share{max(n, 0), g} }

// Others is the share of all workers that other shares leave, and of the nemeses.
func Others(g fallacy.Generator) Share { return Share{-1, g} }

// Reserve divides the workers: each generator has its own, and a slow operation
// in one share takes no workers from another.
//
//	generator.Reserve(generator.Workers(5, writes), generator.Workers(5, cas), generator.Others(reads))
//
// Shares are filled in order; those for which no workers are left have nobody.
// A share hears only of what its own workers did. Without Others, the workers
// that are left over are idle. Others comes last. Reserve is exhausted when all
// shares are.
func Reserve(shares ...Share) fallacy.Generator {
	r := &reserve{gs: make([]fallacy.Generator, len(shares)), ends: make([]int, len(shares))}
	end := 0
	for i, s := range shares {
		if s.Workers < 0 && i < len(shares)-1 {
			panic("generator: Others must be the last share of Reserve")
		}
		end += max(s.Workers, 0)
		r.gs[i], r.ends[i] = s.Generator, end
		r.others = s.Workers < 0
	}
	return r
}

type reserve struct {
	gs     []fallacy.Generator
	ends   []int // the seat after each share's last; of Others, its first
	others bool  // whether the last share is Others
	seats  *seats
	n      int // ops so far
}

func (r *reserve) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if exhausted(r.gs) {
		return nil, nil
	}
	seats := r.seats.seat(now)
	heat := newRace(r.gs, now)
	first := 0
	if len(now.Free) > 0 { // a share with many free workers is asked first more often
		p := now.Free[now.Chance.At("reserve").Nth(r.n).IntN(len(now.Free))]
		first = max(r.share(seats.at(p, now)), 0)
	}
	for k := range r.gs {
		i := (first + k) % len(r.gs)
		if heat.ask(i, r.at(now, seats, i)) {
			break
		}
	}
	if seats != r.seats {
		heat.begun = true
	}
	op := heat.end()
	switch {
	case exhausted(heat.gs):
		return op, nil
	case op != nil:
		return op, &reserve{heat.gs, r.ends, r.others, seats, r.n + 1}
	case !heat.cloned && seats == r.seats:
		return nil, r
	}
	return nil, &reserve{heat.gs, r.ends, r.others, seats, r.n}
}

// share returns the share that a seat belongs to, -1 if none.
func (r *reserve) share(seat int) int {
	if seat < 0 {
		return -1
	}
	for i, end := range r.ends {
		if seat < end {
			return i
		}
	}
	if r.others {
		return len(r.ends) - 1
	}
	return -1
}

// at returns the moment as the ith share sees it.
func (r *reserve) at(now fallacy.Moment, seats *seats, i int) fallacy.Moment {
	low, high := 0, r.ends[i]
	if i > 0 {
		low = r.ends[i-1]
	}
	if r.others && i == len(r.ends)-1 {
		high = max(low, now.Workers)
	} else {
		now.Idle, now.Nemeses = nil, 0
	}
	now.Free = seats.between(low, high, now)
	now.Workers = max(0, min(high, now.Workers)-low)
	now.Chance = now.Chance.At("share").Nth(i)
	return now
}

func (r *reserve) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	i := len(r.gs) - 1
	if event.IsClient() {
		i = r.share(r.seats.at(event.Process, now))
	} else if !r.others {
		return r
	}
	if i < 0 || deaf(r.gs[i]) {
		return r
	}
	g := r.gs[i].Update(r.at(now, r.seats, i), event)
	if same(g, r.gs[i]) {
		return r
	}
	gs := slices.Clone(r.gs)
	gs[i] = g
	return &reserve{gs, r.ends, r.others, r.seats, r.n}
}

func (r *reserve) deaf() bool { return allDeaf(r.gs) }
