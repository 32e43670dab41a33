package generator

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Independent lifts a generator for one key to one for many keys: a test of a
// single register, say, to as many as fit into a run. Long histories of
// one object are hard to judge; many short ones, each of its own key, are not.
//
// The workers are divided into groups of n, and each group works on a key of its
// own: on what gen returns for it, with each value wrapped as
// fallacy.Tuple(key, value). When a key's generator is exhausted, its group
// takes the next key that no group has had, while the last ops of the key before
// may still be under way. keys returns the ith key, and nil when there are no
// more; without more keys a group is done. Events are unwrapped and go to the
// generator of their key only.
//
//	generator.Independent(5,
//		func(i int) fallacy.Value { return fallacy.Int(i) },
//		func(key fallacy.Value) fallacy.Generator { return generator.Limit(100, generator.Mix(reads, writes)) })
//
// If n does not divide the number of workers the last group is smaller; checks
// like those of [Reserve] within a key then have fewer workers there. Nemeses
// take no part. It panics if n is not positive, and Next panics after a thousand keys
// in a row for which there was nothing to do.
func Independent(n int, keys func(i int) fallacy.Value, gen func(key fallacy.Value) fallacy.Generator) fallacy.Generator {
	if n <= 0 {
		panic("generator: Independent needs a positive number of workers for each key")
	}
	return &independent{lift: &lift{n, keys, gen}}
}

// lift is what an Independent was made of.
type lift struct {
	n    int
	keys func(i int) fallacy.Value
	gen  func(key fallacy.Value) fallacy.Generator
}

type independent struct {
	*lift
	gs    []fallacy.Generator // by group; nil when it is to take another key
	index []int               // which key each group is at
	taken int                 // keys taken
	last  bool                // whether there are no more keys
	seats *seats
	ops   int // so far
}

func (d *independent) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if d.last && exhausted(d.gs) || now.Workers == 0 {
		return nil, nil
	}
	if len(now.Free) == 0 {
		return nil, d
	}
	after := *d
	after.seats = d.seats.seat(now)
	if d.gs == nil {
		groups := (now.Workers + d.n - 1) / d.n
		after.gs, after.index = make([]fallacy.Generator, groups), make([]int, groups)
	}
	heat := newRace(after.gs, now)
	heat.begun = after.seats != d.seats
	p := now.Free[draw(now, d.ops, len(now.Free))]
	first := after.seats.at(p, now) / d.n
	for k := range after.gs {
		if after.ask(&heat, (first+k)%len(after.gs), now) {
			break
		}
	}
	op := heat.end()
	after.gs = heat.gs
	switch {
	case op == nil && after.last && exhausted(after.gs):
		return nil, nil
	case op == nil && !heat.cloned && after.seats == d.seats:
		return nil, d
	case op != nil:
		after.ops++
	}
	return op, &after
}

// ask lets a group take part in the race with its key, or with the next one that
// has something to do.
func (d *independent) ask(heat *race, group int, now fallacy.Moment) (decided bool) {
	there := d.at(now, group)
	if len(there.Free) == 0 {
		return false
	}
	for range 1000 {
		if heat.gs[group] == nil && !d.take(heat, group) {
			return false
		}
		there.Chance = now.Chance.At("key").Nth(d.index[group])
		decided = heat.ask(group, there)
		if decided || heat.gs[group] != nil {
			return decided
		}
	}
	panic("generator: Independent has nothing to do for a thousand keys in a row")
}

// take gives a group the next key; false when there is none.
func (d *independent) take(heat *race, group int) bool {
	if d.last {
		return false
	}
	key := d.keys(d.taken)
	if key.IsNil() {
		d.last = true
		return false
	}
	heat.set(group, Keyed(key, d.gen(key)))
	heat.begun = true
	index := slices.Clone(d.index)
	index[group] = d.taken
	d.index = index
	d.taken++
	return true
}

// at returns the moment as a group sees it, but for its Chance.
func (d *independent) at(now fallacy.Moment, group int) fallacy.Moment {
	low := group * d.n
	now.Free = d.seats.between(low, low+d.n, now)
	now.Workers = min(d.n, now.Workers-low)
	now.Idle, now.Nemeses = nil, 0
	return now
}

func (d *independent) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if !event.IsClient() {
		return d
	}
	seat := d.seats.at(event.Process, now)
	if seat < 0 || seat/d.n >= len(d.gs) {
		return d
	}
	group := seat / d.n
	if deaf(d.gs[group]) {
		return d
	}
	there := d.at(now, group)
	there.Chance = now.Chance.At("key").Nth(d.index[group])
	g := d.gs[group].Update(there, event)
	if same(g, d.gs[group]) {
		return d
	}
	after := *d
	after.gs = slices.Clone(d.gs)
	after.gs[group] = g
	return &after
}
