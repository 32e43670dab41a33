package linearizable

import (
	"context"

	"github.com/fallacy-dev/fallacy"
)

const elementsDoc = `each element is in the set from its add to its remove

For a set with add, remove and contains of one element at a time. The value is the
element; contains completes with [element, true] or [element, false]. Adding what
is there, or removing what is not, changes nothing.

Each element is judged apart: a history is linearizable if and only if it is for
each. For an element that was added once and removed once at most the answer is
exact, in time linear in its calls, unknown outcomes included: the add is put as
late and the remove as early as those that saw the element allow, and then nobody
may have missed it in between. What was added or removed several times is decided
by search, within a budget.

It cannot see through answers of add and remove that tell whether they changed
anything: those are not looked at.

Source: Emmi and Enea, Sound, Complete, and Tractable Linearizability Monitoring
for Concurrent Collections, POPL 2018, for the idea; Wing and Gong, 1993, and
Lowe, 2017, for the search.`

// ElementModel is the model of one element of a set, as [Elements] judges it. It
// is keyed: values are [element, answer].
var ElementModel = Model{
	Name:  "set-element",
	Doc:   "an element is in the set from its add to its remove\n\nAs set-elements, but always by search, with values [element, answer].\n\nSource: Knossos' set, by element.",
	Init:  fallacy.Bool(false),
	Keyed: true,
	Reads: []string{"contains"},
	Step: func(state fallacy.Value, a Action) (fallacy.Value, bool) {
		switch a.F {
		case "add":
			return fallacy.Bool(true), true
		case "remove":
			return fallacy.Bool(false), true
		case "contains":
			return state, !a.Known() || a.Out.Equal(state)
		}
		return state, false
	},
}

// Elements returns the checker of a set with add, remove and contains.
func Elements() *fallacy.Checker {
	m := ElementModel
	m.Name, m.Doc, m.Keyed = "set-elements", elementsDoc, false
	budget := Budget{}.orUsual()
	return &fallacy.Checker{Name: m.Name, Doc: m.Doc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		ctx, cancel := budget.context(ctx)
		defer cancel()
		objects := m.elements(h)
		parts := make([]part, len(objects))
		biggestFirst(len(objects), func(i int) int { return len(objects[i].calls) }, func(i int) {
			if objects[i].once() {
				parts[i] = part{name: objects[i].name, size: len(objects[i].calls)}
				return
			}
			parts[i] = objects[i].judge(ctx, budget.share(len(objects)))
		})
		return together(ctx, parts), nil
	}}
}

// elements sorts a history's calls by element. What failed is left out.
func (m *Model) elements(h fallacy.History) []*object {
	var all []*object
	places := make(map[fallacy.Ident]*object)
	for c := range h.Calls() {
		if c.Type() == fallacy.Fail {
			continue
		}
		a := actionOf(c)
		element := a.In
		if first, _, isPair := a.In.Tuple(); isPair {
			element = first
		}
		if _, out, isPair := a.Out.Tuple(); isPair {
			a.Out = out
		}
		id := element.Ident()
		o := places[id]
		if o == nil {
			o = &object{model: m, name: keyText(element)}
			places[id] = o
			all = append(all, o)
		}
		o.calls, o.actions = append(o.calls, c), append(o.actions, a)
	}
	return all
}

// once tells whether the element was added and removed once at the most, and its
// calls can be put in an order. If not, the search has to decide, or to explain.
func (o *object) once() bool {
	add, remove := int32(none), int32(none)
	for i, a := range o.actions {
		var place *int32
		switch a.F {
		case "add":
			place = &add
		case "remove":
			place = &remove
		case "contains":
			if _, isBool := a.Out.Bool(); a.Known() && !isBool {
				return false
			}
			continue
		default:
			return false
		}
		if *place != none {
			return false
		}
		*place = int32(i)
	}
	s := o.sightings()
	for _, first := range o.chances(add) {
		for _, second := range o.chances(remove) {
			if s.fit(first, second) {
				return true
			}
		}
	}
	return false
}

// chances returns what a call may have been: not at all, if its outcome is not
// known, or in its interval.
func (o *object) chances(place int32) []*interval {
	if place == none {
		return []*interval{nil}
	}
	at := o.interval(int(place))
	if o.actions[place].Known() {
		return []*interval{&at}
	}
	return []*interval{nil, &at}
}

// sightings is when the element was seen, and missed.
type sightings struct {
	seen        bool
	soonest     int32 // the first end of those that saw it
	latest      int32 // the last beginning of those
	missed      []interval
	missedLater int32 // the last beginning of those that missed it
}

func (o *object) sightings() sightings {
	s := sightings{soonest: never, latest: beginning, missedLater: beginning}
	for i, a := range o.actions {
		if a.F != "contains" || !a.Known() {
			continue
		}
		at := o.interval(i)
		if there, _ := a.Out.Bool(); there {
			s.seen = true
			s.soonest, s.latest = min(s.soonest, at.end), max(s.latest, at.begin)
			continue
		}
		s.missed = append(s.missed, at)
		s.missedLater = max(s.missedLater, at.begin)
	}
	return s
}

// fit tells whether an add and a remove, or none, explain the sightings.
func (s *sightings) fit(add, remove *interval) bool {
	if add == nil {
		return !s.seen
	}
	late := min(add.end, s.soonest) // of the add
	if late < add.begin {
		return false
	}
	if remove == nil || remove.begin < late { // without a remove, or with one that came first
		if s.missedLater < late {
			return true
		}
		if remove == nil {
			return false
		}
	}
	late = min(late, remove.end)
	early := max(remove.begin, s.latest, add.begin) // of the remove
	if late < add.begin || early > remove.end {
		return false
	}
	for _, m := range s.missed {
		if m.begin > late && m.end < early {
			return false
		}
	}
	return true
}
