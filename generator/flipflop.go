package generator

import "github.com/fallacy-dev/fallacy"

// FlipFlop is an op of a, an op of b, an op of a, and so on. It ends when the one
// whose turn it is is exhausted.
func FlipFlop(a, b fallacy.Generator) fallacy.Generator {
	return &flipFlop{gs: [2]fallacy.Generator{a, b}}
}

type flipFlop struct {
	gs   [2]fallacy.Generator
	turn int
}

func (f *flipFlop) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(f.gs[f.turn], f.at(now, f.turn))
	switch {
	case op == nil && rest == nil:
		return nil, nil
	case op == nil && same(rest, f.gs[f.turn]):
		return nil, f
	}
	after := *f
	after.gs[f.turn] = rest
	if op != nil && op.Type == fallacy.Invoke {
		after.turn = 1 - f.turn
	}
	return op, &after
}

func (f *flipFlop) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	after := *f
	for i, g := range f.gs {
		if !deaf(g) {
			after.gs[i] = g.Update(f.at(now, i), event)
		}
	}
	if same(after.gs[0], f.gs[0]) && same(after.gs[1], f.gs[1]) {
		return f
	}
	return &after
}

func (f *flipFlop) deaf() bool { return allDeaf(f.gs[:]) }

func (f *flipFlop) at(now fallacy.Moment, i int) fallacy.Moment {
	now.Chance = now.Chance.At("flip-flop").Nth(i)
	return now
}
