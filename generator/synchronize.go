package generator

import "github.com/fallacy-dev/fallacy"

// Synchronize is g once everybody who might take part is idle. Until then it
// waits; from then on it is g.
func Synchronize(g fallacy.Generator) fallacy.Generator { return &synchronize{g} }

// Phases is each generator in turn, with a barrier before each: it begins when
// all that went before it has completed.
//
//	generator.Phases(generator.Limit(200, adds), generator.Once(read))
func Phases(gs ...fallacy.Generator) fallacy.Generator {
	phases := make([]fallacy.Generator, len(gs))
	for i, g := range gs {
		phases[i] = Synchronize(g)
	}
	return Seq(phases...)
}

// Then is first, and when all of it has completed, second.
func Then(first, second fallacy.Generator) fallacy.Generator {
	return Seq(first, Synchronize(second))
}

type synchronize struct{ g fallacy.Generator }

func (s *synchronize) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if !now.Quiet() {
		return nil, s
	}
	return next(s.g, now)
}

// Update keeps what happens before the barrier from g, which has not begun.
func (s *synchronize) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return s }
func (s *synchronize) deaf() bool                                          { return true }
