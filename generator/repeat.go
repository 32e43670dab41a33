package generator

import "github.com/fallacy-dev/fallacy"

// Repeat is the first op of g, again and again, for ever: after each op g begins
// anew, though with other chances, so that Repeat(Op("read", …)) is read by any
// process, and Repeat(Mix(…)) is a mix. Compare [Cycle], which runs g to its end
// before it begins anew.
func Repeat(g fallacy.Generator) fallacy.Generator { return &repeat{g, g, 0} }

type repeat struct {
	fresh, g fallacy.Generator // g at its beginning, and after the notes and waits before its first op
	n        int               // ops so far
}

func (r *repeat) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(r.g, r.at(now))
	switch {
	case op != nil && op.Type == fallacy.Invoke:
		return op, &repeat{r.fresh, r.fresh, r.n + 1}
	case rest == nil:
		return op, nil
	case op == nil && same(rest, r.g):
		return nil, r
	}
	return op, &repeat{r.fresh, rest, r.n}
}

func (r *repeat) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if r.deaf() {
		return r
	}
	fresh := update(r.fresh, r.at(now), event)
	if same(r.g, r.fresh) {
		if same(fresh, r.fresh) {
			return r
		}
		return &repeat{fresh, fresh, r.n}
	}
	return &repeat{fresh, update(r.g, r.at(now), event), r.n}
}

func (r *repeat) deaf() bool { return deaf(r.fresh) && deaf(r.g) }

func (r *repeat) at(now fallacy.Moment) fallacy.Moment {
	now.Chance = now.Chance.At("repeat").Nth(r.n)
	return now
}
