package generator

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// OnClients is g, performed by clients only: it sees no nemeses, and hears only
// of what clients did.
func OnClients(g fallacy.Generator) fallacy.Generator { return &onClients{g} }

type onClients struct{ g fallacy.Generator }

func (o *onClients) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(o.g, clientsOf(now))
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, o.g):
		return nil, o
	}
	return op, &onClients{rest}
}

func (o *onClients) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if !event.IsClient() {
		return o
	}
	g := update(o.g, clientsOf(now), event)
	if same(g, o.g) {
		return o
	}
	return &onClients{g}
}

func (o *onClients) deaf() bool { return deaf(o.g) }

func clientsOf(now fallacy.Moment) fallacy.Moment {
	now.Idle, now.Nemeses = nil, 0
	return now
}

// OnNemesis is g, performed by the nemesis of that name only: g sees no workers
// and no other nemesis, and hears only of what this one did. In a run that does
// not have the nemesis it is exhausted.
func OnNemesis(name string, g fallacy.Generator) fallacy.Generator { return &onNemesis{name, g} }

type onNemesis struct {
	name string
	g    fallacy.Generator
}

func (o *onNemesis) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	there := o.at(now)
	if len(there.Idle) == 0 && len(now.Idle) == now.Nemeses {
		return nil, nil // all are idle, and it is not one of them
	}
	op, rest := next(o.g, there)
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, o.g):
		return nil, o
	}
	return op, &onNemesis{o.name, rest}
}

func (o *onNemesis) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.IsClient() || event.Nemesis != o.name || deaf(o.g) {
		return o
	}
	g := o.g.Update(o.at(now), event)
	if same(g, o.g) {
		return o
	}
	return &onNemesis{o.name, g}
}

func (o *onNemesis) deaf() bool { return deaf(o.g) }

func (o *onNemesis) at(now fallacy.Moment) fallacy.Moment {
	i := slices.Index(now.Idle, o.name)
	now.Free, now.Workers, now.Nemeses = nil, 0, 1
	if i < 0 {
		now.Idle = nil
	} else {
		now.Idle = now.Idle[i : i+1]
	}
	return now
}
