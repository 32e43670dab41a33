package generator

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// TimeLimit is what g does within d of the first time it is asked. Ops that
// would be invoked later are not, however long those before them take. Until
// then it waits rather than ends, even if g's next op lies beyond, as by then
// g may have thought of a sooner one.
func TimeLimit(d time.Duration, g fallacy.Generator) fallacy.Generator {
	return &timeLimit{d: d, g: g}
}

type timeLimit struct {
	d     time.Duration
	begun bool
	end   time.Duration
	g     fallacy.Generator
}

func (l *timeLimit) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	end := l.end
	if !l.begun {
		end = now.Time + l.d
	}
	if now.Time >= end {
		return nil, nil
	}
	op, rest := next(l.g, now)
	if op != nil && op.Time >= end {
		op, rest = nil, l.g
	}
	switch {
	case rest == nil:
		return op, nil
	case op == nil && l.begun && same(rest, l.g):
		return nil, l
	}
	return op, &timeLimit{l.d, true, end, rest}
}

func (l *timeLimit) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := update(l.g, now, event)
	if same(g, l.g) {
		return l
	}
	return &timeLimit{l.d, l.begun, l.end, g}
}

func (l *timeLimit) deaf() bool { return deaf(l.g) }
