package generator

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Seq is each generator in turn: all of the first, then all of the second, and
// so on. The next begins as soon as the one before it has no more ops, while
// its last ones may still be under way; see [Phases] for a barrier between them.
func Seq(gs ...fallacy.Generator) fallacy.Generator {
	if len(gs) == 0 {
		return nil
	}
	return &seq{head: gs[0], tail: gs[1:]}
}

type seq struct {
	head fallacy.Generator
	tail []fallacy.Generator
	i    int // place of head in the whole sequence
}

func (s *seq) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	for {
		until, paused := pause(s.head)
		op, rest := next(s.head, s.at(now))
		switch {
		case op != nil && rest == nil:
			return op, s.after()
		case op != nil:
			return op, &seq{rest, s.tail, s.i}
		case rest == nil && len(s.tail) == 0:
			return nil, nil
		case rest == nil:
			s = &seq{s.tail[0], s.tail[1:], s.i + 1}
			continue
		}
		if paused && len(s.tail) > 0 {
			if op, rest := next(s.after(), later(now, until)); op != nil {
				return op, rest
			}
		}
		if same(rest, s.head) {
			return nil, s
		}
		return nil, &seq{rest, s.tail, s.i}
	}
}

func (s *seq) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if deaf(s.head) {
		return s
	}
	head := s.head.Update(s.at(now), event)
	if same(head, s.head) {
		return s
	}
	return &seq{head, s.tail, s.i}
}

func (s *seq) deaf() bool { return deaf(s.head) }

func (s *seq) at(now fallacy.Moment) fallacy.Moment {
	now.Chance = now.Chance.At("seq").Nth(s.i)
	return now
}

// after returns what follows the head.
func (s *seq) after() fallacy.Generator {
	if len(s.tail) == 0 {
		return nil
	}
	return &seq{s.tail[0], s.tail[1:], s.i + 1}
}

func (s *seq) pause() (time.Duration, bool) {
	if len(s.tail) > 0 {
		return 0, false
	}
	return pause(s.head)
}

// Series is an endless [Seq]: make returns the nth generator when the one before
// it is exhausted, until it returns nil. Each has a Chance of its own. make must
// depend on its arguments only. A thousand generators in a row with nothing in
// them are taken for a mistake: Next panics.
func Series(make func(c fallacy.Chance, n int) fallacy.Generator) fallacy.Generator {
	return &series{make: make}
}

type series struct {
	make    func(c fallacy.Chance, n int) fallacy.Generator
	n       int
	begun   bool // whether current is the nth generator, which is else still to be made
	current fallacy.Generator
}

func (s *series) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	for n := s.n; n < s.n+1000; n++ {
		g := s.current
		if n > s.n || !s.begun {
			if g = s.make(now.Chance.At("series").Nth(n), n); g == nil {
				return nil, nil
			}
		}
		there := now
		there.Chance = now.Chance.At("of series").Nth(n)
		op, rest := g.Next(there)
		switch {
		case rest != nil && op == nil && s.begun && n == s.n && same(rest, g):
			return nil, s
		case rest != nil:
			return op, &series{s.make, n, true, rest}
		case op != nil:
			return op, &series{make: s.make, n: n + 1}
		}
	}
	panic("generator: Series of a thousand generators in a row with nothing in them")
}

func (s *series) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if deaf(s.current) {
		return s
	}
	now.Chance = now.Chance.At("of series").Nth(s.n)
	current := s.current.Update(now, event)
	if same(current, s.current) {
		return s
	}
	if current == nil {
		return &series{make: s.make, n: s.n + 1}
	}
	return &series{s.make, s.n, true, current}
}

func (s *series) deaf() bool { return deaf(s.current) }
