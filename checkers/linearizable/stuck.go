package linearizable

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Bounds of what is told of where every order ends, and of the search for it.
const (
	orderShown = 8
	nextShown  = 6
	stuckSteps = 20_000
	stuckMost  = 8192 // calls of a register up to its violation: more would take longer than the verdict by far
	idleShare  = 10   // of the steps, one in so many without a longer order ends the search
	stateShown = 120  // bytes
)

var errSteps = errors.New("the steps are used up")

// told is how a search's calls and states are put in words.
type told struct {
	op    func(call int) int // of the history
	state func(state any) string
	// why says why a call does not fit a state.
	why func(state any, call int) string
}

// stuck looks for the longest order of the calls, and says why none of those that
// could come next does. Nil: there is an order of all, or not even a search.
func (p *problem) stuck(ctx context.Context, say told) (s *fallacy.Stuck) {
	defer func() {
		if recover() != nil { // the model's: whoever judged has said so
			s = nil
		}
	}()
	order, whole := p.longest(ctx)
	if order == nil {
		return nil
	}
	w, state := newWindow(p.intervals), p.init
	states := []any{state}
	for _, at := range order {
		w.take(at)
		state, _ = p.step(state, int(at))
		states = append(states, state)
	}
	for more := p.further(w, state); len(more) > 0; more = p.further(w, state) {
		for _, at := range more {
			w.take(at)
			state, _ = p.step(state, int(at))
			order, states = append(order, at), append(states, state)
		}
	}
	if w.required == 0 {
		return nil
	}
	from := max(0, len(order)-orderShown)
	s = &fallacy.Stuck{Earlier: from, From: cut(say.state(states[from])), Whole: whole, Order: []fallacy.Placed{}}
	for i, at := range order[from:] {
		s.Order = append(s.Order, fallacy.Placed{Op: say.op(int(at)), State: cut(say.state(states[from+i+1]))})
	}
	p.next(s, w, state, say)
	return s
}

// longest returns the calls of the longest order that a search comes to, and
// whether it tried all. Nil: there is an order of all calls, or trouble.
func (p *problem) longest(ctx context.Context) (order []int32, whole bool) {
	best, left := []int32{}, -1
	for _, thrifty := range []bool{true, false} {
		s := p.start()
		s.thrifty, s.most = thrifty, stuckSteps
		ok, err := s.run(ctx, stuckSteps*impasseBytes*2)
		if ok || ctx.Err() != nil {
			return nil, false
		}
		if s.farthest != nil && (left < 0 || s.left < left) {
			best, left = s.farthest, s.left
		}
		if whole = err == nil; whole && (!thrifty || !s.withheld) {
			return best, true
		}
	}
	return best, whole
}

// further returns calls that make the order longer: one that must happen, or one
// that need not and after it one that must.
func (p *problem) further(w *window, state any) []int32 {
	fits := func(state any) int32 {
		found := int32(none)
		w.each(func(at int32) bool {
			if found == none && w.ends[at] != 0 {
				if _, ok := p.step(state, int(at)); ok {
					found = at
				}
			}
			return false
		})
		return found
	}
	if at := fits(state); at != none {
		return []int32{at}
	}
	var two []int32
	w.each(func(at int32) bool {
		if two == nil && w.ends[at] == 0 {
			if next, ok := p.step(state, int(at)); ok {
				if then := fits(next); then != none {
					two = []int32{at, then}
				}
			}
		}
		return false
	})
	return two
}

// next lists the calls that could come next in real time: first those that must
// happen, then those that may have.
func (p *problem) next(s *fallacy.Stuck, w *window, state any, say told) {
	s.Next = []fallacy.Placed{}
	for _, must := range []bool{true, false} {
		w.each(func(at int32) bool {
			if (w.ends[at] != 0) != must {
				return false
			}
			why := ""
			if next, ok := p.step(state, int(at)); ok {
				why = fmt.Sprintf("it may have happened, but would leave %s, which none of the others fits either", cut(say.state(next)))
			} else {
				why = say.why(state, int(at))
			}
			if len(s.Next) == nextShown {
				s.More++
				return false
			}
			s.Next = append(s.Next, fallacy.Placed{Op: say.op(int(at)), Why: why})
			return false
		})
	}
}

// cut bounds the text of a state.
func cut(text string) string {
	if len(text) <= stateShown {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", text[:stateShown], len(text))
}

// stuckAt tells where every order of the register's calls ends, up to the answer
// that a violation is about.
func (r *register) stuckAt(ctx context.Context, bad *violation) *fallacy.Stuck {
	end := bad.upTo
	if end == 0 {
		end = r.endOf(bad.calls)
	}
	cut := r.upTo(end)
	if len(cut.calls) > stuckMost {
		return nil
	}
	cut.drop()
	s := cut.plain().stuck(ctx, told{
		op:    func(at int) int { return opOf(cut.at(int32(at))) },
		state: func(s any) string { return cut.value(s.(int32)) },
		why:   func(s any, at int) string { return cut.misfit(s.(int32), at) },
	})
	if s == nil || bad.upTo == 0 && !slices.ContainsFunc(s.Next, func(p fallacy.Placed) bool { return proves(bad.calls, p.Op) }) {
		return nil // it is stuck at another violation
	}
	return s
}

// endOf returns when the last of some calls ended.
func (r *register) endOf(calls []fallacy.Call) int32 {
	end := int32(-1)
	for i := range r.calls {
		c := &r.calls[i]
		if c.end != never && proves(calls, r.history[c.op].Index) {
			end = max(end, c.end)
		}
	}
	return end
}

// proves tells whether an op belongs to one of the calls.
func proves(calls []fallacy.Call, op int) bool {
	return slices.ContainsFunc(calls, func(c fallacy.Call) bool { return slices.Contains(c.Ops(), op) })
}

// firstMost bounds the registers whose first violation is looked for.
const firstMost = 200_000

// first returns the violation that was there first, for one that the exact
// algorithm found: that of the shortest history without an order. There calls
// that end later are of unknown outcome, so that more of them may have to prove
// it; if these are too many, it is the one found. So it is if that is about the
// same answer, as it knows more.
func (r *register) first(found *violation) *violation {
	if len(r.calls) > firstMost {
		return found
	}
	ends := make([]int32, len(r.calls))
	for i, c := range r.calls {
		ends[i] = c.end
	}
	place, _ := shortest(ends, r.endOf(found.calls), func(end int32) (bool, error) {
		answer, _, _ := r.upTo(end).exact()
		return answer != illegal, nil
	})
	end := ends[place]
	if proves(found.calls, r.history[r.calls[place].op].Index) {
		found.upTo = end
		return found
	}
	answer, _, v := r.upTo(end).exact()
	if answer != illegal || v == nil || len(v.calls) > max(4, len(found.calls)) {
		return found
	}
	v.upTo = end
	return v
}

// misfit says why a call does not fit a value.
func (r *register) misfit(has int32, at int) string {
	c := &r.calls[at]
	switch c.kind {
	case refusal:
		return fmt.Sprintf("it was refused, and yet %s, which it wanted, is there", r.value(c.old))
	case cas:
		if !c.known {
			return fmt.Sprintf("it takes effect on %s only, and here is %s", r.value(c.old), r.value(has))
		}
		return fmt.Sprintf("it found %s, and here is %s", r.value(c.old), r.value(has))
	}
	return fmt.Sprintf("it saw %s, and here is %s", r.value(c.value), r.value(has))
}

// stuckUpTo tells where every order of the object's calls ends, up to an op.
func (o *object) stuckUpTo(ctx context.Context, end int32) *fallacy.Stuck {
	p, places := o.prepare(end)
	return p.stuck(ctx, told{
		op:    func(at int) int { return opOf(o.calls[places[at]]) },
		state: func(s any) string { return s.(fallacy.Value).String() },
		why: func(s any, at int) string {
			a := o.actions[places[at]]
			switch {
			case a.Type == fallacy.Fail:
				return "it was refused, which cannot be where the state is " + cut(s.(fallacy.Value).String())
			case a.Type == fallacy.Info || o.interval(places[at]).end > end:
				return "it cannot take effect where the state is " + cut(s.(fallacy.Value).String())
			case a.Out.IsNil() || a.Out.Equal(a.In):
				return "it was answered ok, which cannot be where the state is " + cut(s.(fallacy.Value).String())
			}
			return fmt.Sprintf("it was answered %s, which cannot be where the state is %s", cut(a.Out.String()), cut(s.(fallacy.Value).String()))
		},
	})
}
