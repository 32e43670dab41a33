package generator

import "github.com/fallacy-dev/fallacy"

// Limit is the first n ops of g. Notes do not count.
func Limit(n int, g fallacy.Generator) fallacy.Generator { return &limit{n, g} }

// Once is the first op of g.
func Once(g fallacy.Generator) fallacy.Generator { return Limit(1, g) }

type limit struct {
	left int
	g    fallacy.Generator
}

func (l *limit) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if l.left <= 0 {
		return nil, nil
	}
	op, rest := next(l.g, now)
	left := l.left
	if op != nil && op.Type == fallacy.Invoke {
		left--
	}
	switch {
	case rest == nil || left == 0:
		return op, nil
	case op == nil && same(rest, l.g):
		return nil, l
	}
	return op, &limit{left, rest}
}

func (l *limit) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := update(l.g, now, event)
	if same(g, l.g) {
		return l
	}
	return &limit{l.left, g}
}

func (l *limit) deaf() bool { return deaf(l.g) }
