package generator

import "github.com/fallacy-dev/fallacy"

// Keyed is g working on one key of many: it wraps the value of each op with the
// key, as fallacy.Tuple(key, value), and g hears, unwrapped, only of events whose
// value is a tuple with that key.
func Keyed(key fallacy.Value, g fallacy.Generator) fallacy.Generator { return &keyed{key, g} }

type keyed struct {
	key fallacy.Value
	g   fallacy.Generator
}

func (k *keyed) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(k.g, now)
	if op != nil && op.Type == fallacy.Invoke {
		wrapped := *op
		wrapped.Value = fallacy.Tuple(k.key, op.Value)
		op = &wrapped
	}
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, k.g):
		return nil, k
	}
	return op, &keyed{k.key, rest}
}

func (k *keyed) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if deaf(k.g) {
		return k
	}
	key, value, ok := event.Value.Tuple()
	if !ok || !key.Equal(k.key) {
		return k
	}
	event.Value = value
	g := k.g.Update(now, event)
	if same(g, k.g) {
		return k
	}
	return &keyed{k.key, g}
}

func (k *keyed) deaf() bool { return deaf(k.g) }
