package linearizable

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Model is a sequential specification: what an object answers if it is asked one
// thing at a time. A model of one's own is a value:
//
//	var Toggle = linearizable.Model{
//		Name: "toggle",
//		Doc:  "a switch that tells what it was\n\n…",
//		Init: fallacy.Bool(false),
//		Step: func(state fallacy.Value, a linearizable.Action) (fallacy.Value, bool) {
//			was, _ := state.Bool()
//			return fallacy.Bool(!was), !a.Known() || a.Out.Equal(state)
//		},
//	}
type Model struct {
	Name string
	Doc  string // first a title line, then a blank line, then the manual text

	// Init is the state at first. States are values; lists must not be changed in place.
	Init fallacy.Value

	// Step applies an action to a state. It returns the state after, and whether
	// the action could have that outcome in that state. It must be a pure function.
	Step func(state fallacy.Value, a Action) (next fallacy.Value, ok bool)

	// Reads names functions that never change a state, whatever they answer. The
	// search is faster for it.
	Reads []string

	// Keyed tells that every value is [key, argument]: each key is an object of its
	// own, and Step sees the arguments alone.
	Keyed bool

	// Refusals tells that a call that failed was refused by the object, which Step
	// has to explain. Without it, what failed is left out.
	Refusals bool
}

// Action is a call as a [Model] sees it.
type Action struct {
	F    string
	In   fallacy.Value // what was asked for
	Out  fallacy.Value // what was observed; nil unless Type is OK or Fail
	Type fallacy.Type  // OK, Fail or Info
}

// Known tells whether the action was answered ok. Of one with unknown outcome,
// what it does matters and what it answers does not.
func (a Action) Known() bool { return a.Type == fallacy.OK }

// String returns the action as people write it: "read → 4".
func (a Action) String() string {
	text := a.F
	if !a.In.IsNil() {
		text += " " + a.In.String()
	}
	switch {
	case a.Type == fallacy.Info:
		return text + " ?"
	case a.Type == fallacy.Fail:
		text += " refused"
	}
	if !a.Out.Equal(a.In) {
		text += " → " + a.Out.String()
	}
	return text
}

func actionOf(c fallacy.Call) Action {
	a := Action{F: c.Invoke.F, In: c.Invoke.Value, Type: c.Type()}
	if a.Type != fallacy.Info {
		a.Out = c.Complete.Value
	}
	return a
}

// object is the calls of one key of a model.
type object struct {
	model   *Model
	name    string
	calls   []fallacy.Call
	actions []Action
}

// Check returns the checker that holds a history against a model, by search.
func Check(m Model) *fallacy.Checker { return CheckWithin(m, Budget{}) }

// CheckWithin returns the checker that holds a history against a model, with a
// budget of its own.
func CheckWithin(m Model, budget Budget) *fallacy.Checker {
	return m.checker(budget.orUsual(), func(ctx context.Context, o *object, memory int) part { return o.judge(ctx, memory) })
}

// checker returns the checker that judges each key apart.
func (m Model) checker(budget Budget, judge func(ctx context.Context, o *object, memory int) part) *fallacy.Checker {
	return &fallacy.Checker{
		Name: m.Name,
		Doc:  m.Doc,
		Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			ctx, cancel := budget.context(ctx)
			defer cancel()
			objects, err := m.objects(h)
			if err != nil {
				return fallacy.Finding{}, err
			}
			parts := make([]part, len(objects))
			biggestFirst(len(objects), func(i int) int { return len(objects[i].calls) }, func(i int) {
				parts[i] = judge(ctx, objects[i], budget.share(len(objects)))
			})
			return together(ctx, parts), nil
		},
	}
}

// objects sorts a history's calls by key.
func (m *Model) objects(h fallacy.History) ([]*object, error) {
	var all []*object
	places := make(map[fallacy.Ident]*object)
	for c := range h.Calls() {
		if c.Type() == fallacy.Fail && !m.Refusals {
			continue
		}
		a := actionOf(c)
		name, id := "", fallacy.Object().Ident()
		if m.Keyed {
			key, in, ok := a.In.Tuple()
			if !ok {
				return nil, fmt.Errorf("op %d: value is %v, want [key, argument]", c.Invoke.Index, a.In)
			}
			a.In, name, id = in, keyText(key), key.Ident()
			if _, out, ok := a.Out.Tuple(); ok {
				a.Out = out
			}
		}
		o := places[id]
		if o == nil {
			o = &object{model: m, name: name}
			places[id] = o
			all = append(all, o)
		}
		o.calls = append(o.calls, c)
		o.actions = append(o.actions, a)
	}
	return all, nil
}

// judge decides one object.
func (o *object) judge(ctx context.Context, memory int) part {
	p := part{name: o.name, size: len(o.calls), searched: true}
	if p.err = context.Cause(ctx); p.err != nil {
		return p
	}
	ok, err := o.problem(never).search(ctx, memory)
	if ok || err != nil {
		p.err = err
		return p
	}
	place, certain := o.pinned(ctx, memory)
	c := o.calls[place]
	why := fmt.Sprintf("no order of the calls up to op %d explains all answers", opOf(c))
	if certain {
		why += fmt.Sprintf("; without process %d's %s, answered %v %v (op %d), there is one",
			c.Invoke.Process, c.Invoke.F, c.Complete.Type, c.Complete.Value, opOf(c))
	}
	near := around(len(o.calls), place, o.interval, func(at int) fallacy.Call { return o.calls[at] })
	p.bad = &violation{why: inKey(o.name, why), calls: near}
	p.bad.stuck = func(ctx context.Context) *fallacy.Stuck { return o.stuckUpTo(ctx, o.interval(place).end) }
	return p
}

// pinned finds the answer up to which there already is no order.
func (o *object) pinned(ctx context.Context, memory int) (place int, certain bool) {
	ends := make([]int32, len(o.calls))
	for i := range o.calls {
		ends[i] = o.interval(i).end
	}
	return shortest(ends, never, func(end int32) (bool, error) { return o.problem(end).search(ctx, memory) })
}

func (o *object) interval(at int) interval {
	return interval{int32(o.calls[at].Invoke.Index), int32(endOf(o.calls[at]))}
}

// problem prepares the calls up to the op at the given index for a search. Calls
// that end later count as of unknown outcome, and need not have happened.
func (o *object) problem(upTo int32) *problem {
	p, _ := o.prepare(upTo)
	return p
}

// prepare is problem, with the places of the calls that are in it.
func (o *object) prepare(upTo int32) (p *problem, places []int) {
	var actions []Action
	p = &problem{init: o.model.Init, digest: digester()}
	for i := range o.calls {
		a, at := o.actions[i], o.interval(i)
		if at.begin > upTo {
			break
		}
		if at.end > upTo {
			if a.Type == fallacy.Fail {
				continue // a refusal not yet given changes nothing
			}
			a.Type, a.Out, at.end = fallacy.Info, fallacy.Nil(), never
		}
		if o.looks(a) && a.Type == fallacy.Info {
			continue
		}
		actions, places = append(actions, a), append(places, i)
		p.intervals = append(p.intervals, at)
	}
	p.looks = func(call int) bool { return o.looks(actions[call]) }
	p.step = func(state any, call int) (any, bool) {
		return o.model.Step(state.(fallacy.Value), actions[call])
	}
	return p, places
}

func (o *object) looks(a Action) bool { return slices.Contains(o.model.Reads, a.F) }

// digester returns a function that digests values by their JSON form. It is for
// one goroutine.
func digester() func(state any) digest {
	seeds := [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	var text []byte
	return func(state any) digest {
		text = state.(fallacy.Value).AppendJSON(text[:0])
		return digest{maphash.Bytes(seeds[0], text), maphash.Bytes(seeds[1], text)}
	}
}
