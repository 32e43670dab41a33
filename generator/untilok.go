package generator

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// UntilOK is the ops of g until one of them completes as OK. It does not
// repeat g by itself:
//
//	generator.UntilOK(generator.Repeat(generator.Op("read", fallacy.Nil())))
//
// Other ops of g may be under way when the first is OK. The ops of a nemesis,
// which are never OK, do not end it.
func UntilOK(g fallacy.Generator) fallacy.Generator { return &untilOK{g: g} }

type untilOK struct {
	g    fallacy.Generator
	open []int // processes that an op of g is under way on
}

func (u *untilOK) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(u.g, now)
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, u.g):
		return nil, u
	case op == nil || op.Type != fallacy.Invoke:
		return op, &untilOK{rest, u.open}
	}
	return op, &untilOK{rest, append(slices.Clone(u.open), op.Process)}
}

func (u *untilOK) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	open := u.open
	if event.IsClient() && event.Type != fallacy.Invoke {
		if i := slices.Index(open, event.Process); i >= 0 {
			if event.Type == fallacy.OK {
				return nil
			}
			open = slices.Delete(slices.Clone(open), i, i+1)
		}
	}
	g := update(u.g, now, event)
	if same(g, u.g) && len(open) == len(u.open) {
		return u
	}
	return &untilOK{g, open}
}
