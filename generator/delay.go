package generator

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Delay makes the ops of g come exactly d apart, whoever performs them, as far
// as somebody is free. After it has fallen behind, ops come as fast as they
// can until it has caught up. Compare [Stagger], which is random and catches up
// by a few ops only.
func Delay(d time.Duration, g fallacy.Generator) fallacy.Generator {
	return &delay{d: max(d, 0), g: g}
}

type delay struct {
	d     time.Duration
	begun bool
	due   time.Duration // no op before
	g     fallacy.Generator
}

func (d *delay) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(d.g, now)
	switch {
	case rest == nil && op == nil:
		return nil, nil
	case op == nil && same(rest, d.g):
		return nil, d
	case op == nil || op.Type != fallacy.Invoke:
		return op, &delay{d.d, d.begun, d.due, rest}
	}
	due := d.due
	if !d.begun {
		due = op.Time
	}
	op = notBefore(due, op)
	if rest == nil {
		return op, nil
	}
	return op, &delay{d.d, true, due + d.d, rest}
}

func (d *delay) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := update(d.g, now, event)
	if same(g, d.g) {
		return d
	}
	return &delay{d.d, d.begun, d.due, g}
}

func (d *delay) deaf() bool { return deaf(d.g) }
