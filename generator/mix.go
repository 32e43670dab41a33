package generator

import (
	"math"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Mix takes each op from one of the generators, all equally likely. One that is
// exhausted takes no further part; when all are, so is the mix. While the one
// chosen has no op to offer, the mix waits for it.
//
// Taking one generator out, or putting [Nothing] in its place, leaves
// what the others draw as it was; the ops it would have had go to the others.
func Mix(gs ...fallacy.Generator) fallacy.Generator { return &mix{gs: gs} }

// Choice is a generator with its weight in a [Weighted] mix.
type Choice struct {
	Weight    float64
	Generator fallacy.Generator
}

// Weigh is a choice, for [Weighted].
func Weigh(weight float64, g fallacy.Generator) Choice { return Choice{weight, g} }

// Weighted is a [Mix] in which a choice of weight 3 is taken three times as often
// as a choice of weight 1. A choice of weight 0 or less is never taken.
//
//	generator.Weighted(generator.Weigh(9, reads), generator.Weigh(1, writes))
func Weighted(choices ...Choice) fallacy.Generator {
	m := &mix{gs: make([]fallacy.Generator, len(choices)), weights: make([]float64, len(choices))}
	for i, c := range choices {
		if c.Weight > 0 {
			m.gs[i], m.weights[i] = c.Generator, c.Weight
		}
	}
	return m
}

type mix struct {
	gs      []fallacy.Generator // nil when exhausted
	weights []float64           // nil when all weigh the same
	n       int                 // ops so far
}

func (m *mix) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	for {
		i := m.choose(now.Chance)
		if i < 0 {
			return nil, nil
		}
		op, rest := m.gs[i].Next(m.at(now, i))
		switch {
		case op != nil:
			return op, m.with(i, rest, m.n+1)
		case rest != nil && same(rest, m.gs[i]):
			return nil, m
		case rest != nil:
			return nil, m.with(i, rest, m.n)
		}
		m = m.with(i, nil, m.n)
	}
}

// choose returns which generator is to give the next op, -1 when none is left.
// Every generator draws a score and the best one wins, so that the others keep
// their order when one is gone.
func (m *mix) choose(c fallacy.Chance) int {
	c = c.At("mix").Nth(m.n)
	best, highest := -1, uint64(0)
	soonest := math.Inf(1)
	for i, g := range m.gs {
		if g == nil {
			continue
		}
		if m.weights == nil {
			if score := c.Nth(i).Uint64(); best < 0 || score > highest {
				best, highest = i, score
			}
		} else if wait := -math.Log(1-c.Nth(i).Float64()) / m.weights[i]; best < 0 || wait < soonest {
			best, soonest = i, wait
		}
	}
	return best
}

func (m *mix) at(now fallacy.Moment, i int) fallacy.Moment {
	now.Chance = now.Chance.At("mixed").Nth(i)
	return now
}

// with returns the mix with another ith generator.
func (m *mix) with(i int, g fallacy.Generator, n int) *mix {
	gs := slices.Clone(m.gs)
	gs[i] = g
	return &mix{gs, m.weights, n}
}

func (m *mix) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if m.deaf() {
		return m
	}
	gs, changed := updateAll(m.gs, func(i int) fallacy.Moment { return m.at(now, i) }, event)
	if !changed {
		return m
	}
	return &mix{gs, m.weights, m.n}
}

func (m *mix) deaf() bool { return allDeaf(m.gs) }
