package generator

import "github.com/fallacy-dev/fallacy"

// Map is g with each op changed by change: its F, its Value, a later Time. Who
// performs it must stay. Notes are not changed. g hears of events as they
// happened, that is of changed ops.
func Map(change func(fallacy.Op) fallacy.Op, g fallacy.Generator) fallacy.Generator {
	return &mapped{change, g}
}

// Rename is g with other names for functions: names has the new by the old, and
// a function it does not have keeps its name.
func Rename(names map[string]string, g fallacy.Generator) fallacy.Generator {
	return Map(func(op fallacy.Op) fallacy.Op {
		if name, ok := names[op.F]; ok {
			op.F = name
		}
		return op
	}, g)
}

type mapped struct {
	change func(fallacy.Op) fallacy.Op
	g      fallacy.Generator
}

func (m *mapped) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(m.g, now)
	if op != nil && op.Type == fallacy.Invoke {
		changed := m.change(*op)
		op = &changed
	}
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, m.g):
		return nil, m
	}
	return op, &mapped{m.change, rest}
}

func (m *mapped) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := update(m.g, now, event)
	if same(g, m.g) {
		return m
	}
	return &mapped{m.change, g}
}

func (m *mapped) deaf() bool { return deaf(m.g) }
