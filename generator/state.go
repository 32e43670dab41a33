package generator

import (
	"slices"
	"unsafe"

	"github.com/fallacy-dev/fallacy"
)

// update returns g after event; nil stays nil.
func update(g fallacy.Generator, now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if g == nil {
		return nil
	}
	return g.Update(now, event)
}

// next asks g; nil is exhausted.
func next(g fallacy.Generator, now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if g == nil {
		return nil, nil
	}
	return g.Next(now)
}

// same tells whether a and b are one and the same state, so that whoever wraps
// it need not make a new state of its own. It compares identities, not
// contents: == would panic on a type that cannot be compared.
func same(a, b fallacy.Generator) bool {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(&a)) == *(*[2]unsafe.Pointer)(unsafe.Pointer(&b))
}

// deaf tells whether Update surely leaves g as it is, so that nobody need work
// out the moment for it.
func deaf(g fallacy.Generator) bool {
	if g == nil {
		return true
	}
	d, ok := g.(interface{ deaf() bool })
	return ok && d.deaf()
}

func allDeaf(gs []fallacy.Generator) bool {
	for _, g := range gs {
		if !deaf(g) {
			return false
		}
	}
	return true
}

// updateAll returns gs after event, and whether any of them changed. It leaves
// the slice as it was.
func updateAll(gs []fallacy.Generator, at func(i int) fallacy.Moment, event fallacy.Op) ([]fallacy.Generator, bool) {
	changed := false
	for i, g := range gs {
		if deaf(g) {
			continue
		}
		after := g.Update(at(i), event)
		if same(after, g) {
			continue
		}
		if !changed {
			gs, changed = slices.Clone(gs), true
		}
		gs[i] = after
	}
	return gs, changed
}

// exhausted tells whether no generator of gs is left.
func exhausted(gs []fallacy.Generator) bool {
	for _, g := range gs {
		if g != nil {
			return false
		}
	}
	return true
}
