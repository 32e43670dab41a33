package generator

import "github.com/fallacy-dev/fallacy"

// Any is the soonest op that any of the generators offers, with ties broken at
// random. All go on side by side, and all hear of every event; when all are
// exhausted, so is Any.
//
//	generator.Any(generator.OnClients(work), generator.OnNemesis("kill", faults))
func Any(gs ...fallacy.Generator) fallacy.Generator { return &anyOf{gs: gs} }

// ShortestAny is [Any] that ends when the first of its generators is exhausted.
func ShortestAny(gs ...fallacy.Generator) fallacy.Generator {
	if len(gs) == 0 {
		return nil
	}
	return &anyOf{gs: gs, shortest: true}
}

type anyOf struct {
	gs       []fallacy.Generator
	shortest bool
	n        int // ops so far
}

func (a *anyOf) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if a.over(a.gs) {
		return nil, nil
	}
	r := newRace(a.gs, now)
	a.ask(&r, now)
	if a.over(r.gs) {
		return nil, nil
	}
	op := r.end()
	switch {
	case op != nil && a.over(r.gs):
		return op, nil
	case op != nil:
		return op, &anyOf{r.gs, a.shortest, a.n + 1}
	case !r.cloned:
		return nil, a
	}
	return nil, &anyOf{r.gs, a.shortest, a.n}
}

// ask asks the generators in an order drawn at random, until one has an op for
// right now. That each draws its own place keeps the order of the others when
// one is gone.
func (a *anyOf) ask(r *race, now fallacy.Moment) {
	c := now.Chance.At("any").Nth(a.n)
	var few [8]uint64
	scores := few[:0]
	for i := range a.gs {
		scores = append(scores, c.Nth(i).Uint64()|1)
	}
	for range a.gs {
		i := 0
		for j, score := range scores {
			if score > scores[i] {
				i = j
			}
		}
		scores[i] = 0
		if r.ask(i, a.at(now, i)) || a.shortest && r.gs[i] == nil {
			return
		}
	}
}

func (a *anyOf) over(gs []fallacy.Generator) bool {
	if !a.shortest {
		return exhausted(gs)
	}
	for _, g := range gs {
		if g == nil {
			return true
		}
	}
	return false
}

func (a *anyOf) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	gs, changed := updateAll(a.gs, func(i int) fallacy.Moment { return a.at(now, i) }, event)
	if !changed {
		return a
	}
	return &anyOf{gs, a.shortest, a.n}
}

func (a *anyOf) deaf() bool { return allDeaf(a.gs) }

func (a *anyOf) at(now fallacy.Moment, i int) fallacy.Moment {
	now.Chance = now.Chance.At("any of").Nth(i)
	return now
}
