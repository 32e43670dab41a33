package generator

import "github.com/fallacy-dev/fallacy"

// IgnoreUpdates is g without hearing of any event.
func IgnoreUpdates(g fallacy.Generator) fallacy.Generator { return &ignoreUpdates{g} }

type ignoreUpdates struct{ g fallacy.Generator }

func (u *ignoreUpdates) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(u.g, now)
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, u.g):
		return nil, u
	}
	return op, &ignoreUpdates{rest}
}

func (u *ignoreUpdates) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return u }
func (u *ignoreUpdates) deaf() bool                                          { return true }

// OnUpdate is g with a handler for events in the place of g's own: what handle
// returns goes on instead of g, nil for nothing. If g is to hear of the event as
// well, handle calls g.Update. The handler stays in force.
func OnUpdate(handle func(g fallacy.Generator, now fallacy.Moment, event fallacy.Op) fallacy.Generator, g fallacy.Generator) fallacy.Generator {
	return &onUpdate{handle, g}
}

type onUpdate struct {
	handle func(g fallacy.Generator, now fallacy.Moment, event fallacy.Op) fallacy.Generator
	g      fallacy.Generator
}

func (u *onUpdate) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(u.g, now)
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, u.g):
		return nil, u
	}
	return op, &onUpdate{u.handle, rest}
}

func (u *onUpdate) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := u.handle(u.g, now, event)
	switch {
	case g == nil:
		return nil
	case same(g, u.g):
		return u
	}
	return &onUpdate{u.handle, g}
}
