package generator

import "github.com/fallacy-dev/fallacy"

// ConcurrencyLimit is g with at most n workers busy at once: while n or more
// are, it has no op for a client. Whoever keeps them busy counts.
func ConcurrencyLimit(n int, g fallacy.Generator) fallacy.Generator {
	return &concurrencyLimit{n, g}
}

type concurrencyLimit struct {
	n int
	g fallacy.Generator
}

func (l *concurrencyLimit) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if now.Workers-len(now.Free) >= l.n {
		now.Free = nil
	}
	op, rest := next(l.g, now)
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, l.g):
		return nil, l
	}
	return op, &concurrencyLimit{l.n, rest}
}

func (l *concurrencyLimit) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := update(l.g, now, event)
	if same(g, l.g) {
		return l
	}
	return &concurrencyLimit{l.n, g}
}

func (l *concurrencyLimit) deaf() bool { return deaf(l.g) }
