package generator

import "github.com/fallacy-dev/fallacy"

// Filter is the ops of g for which keep is true; the others are drawn and
// dropped. Notes stay. When it has dropped a hundred in a row it waits before it
// goes on, so that a filter which keeps nothing does not hang.
func Filter(keep func(fallacy.Op) bool, g fallacy.Generator) fallacy.Generator {
	return &filter{keep, g}
}

type filter struct {
	keep func(fallacy.Op) bool
	g    fallacy.Generator
}

func (f *filter) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	g := f.g
	for range 100 {
		op, rest := next(g, now)
		dropped := op != nil && op.Type == fallacy.Invoke && !f.keep(*op)
		switch {
		case dropped && rest != nil:
			g = rest
			continue
		case dropped || op == nil && rest == nil:
			return nil, nil
		case rest == nil:
			return op, nil
		case op == nil && same(rest, f.g):
			return nil, f
		}
		return op, &filter{f.keep, rest}
	}
	return nil, &filter{f.keep, g}
}

func (f *filter) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := update(f.g, now, event)
	if same(g, f.g) {
		return f
	}
	return &filter{f.keep, g}
}

func (f *filter) deaf() bool { return deaf(f.g) }
