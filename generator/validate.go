package generator

import (
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Validate is g, with an error reported for each op that no generator may return:
// one without a function, of a wrong type, in the past, or for somebody who is
// not free. A nil report panics instead. Put it around a generator of your own.
func Validate(report func(error), g fallacy.Generator) fallacy.Generator {
	if report == nil {
		report = func(err error) { panic("generator: " + err.Error()) }
	}
	return &validate{report, g}
}

type validate struct {
	report func(error)
	g      fallacy.Generator
}

func (v *validate) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(v.g, now)
	if op != nil {
		if err := check(*op, now); err != nil {
			v.report(fmt.Errorf("op %v at %v: %w", *op, now.Time, err))
		}
	}
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, v.g):
		return nil, v
	}
	return op, &validate{v.report, rest}
}

func check(op fallacy.Op, now fallacy.Moment) error {
	switch {
	case op.F == "":
		return fmt.Errorf("has no function")
	case op.Time < now.Time:
		return fmt.Errorf("is for %v, which is past", op.Time)
	case op.Type == fallacy.Info:
		return nil
	case op.Type != fallacy.Invoke:
		return fmt.Errorf("is of type %v, want an invocation or a note", op.Type)
	case op.IsClient() && !slices.Contains(now.Free, op.Process):
		return fmt.Errorf("process %d is not free, of %v", op.Process, now.Free)
	case !op.IsClient() && !slices.Contains(now.Idle, op.Nemesis):
		return fmt.Errorf("nemesis %q is not idle, of %q", op.Nemesis, now.Idle)
	}
	return nil
}

func (v *validate) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := update(v.g, now, event)
	if same(g, v.g) {
		return v
	}
	return &validate{v.report, g}
}

func (v *validate) deaf() bool { return deaf(v.g) }
