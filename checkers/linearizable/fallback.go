package linearizable

import (
	"context"
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// problem prepares the calls for a search. What is not needed is dropped, and
// intervals are narrowed by what was seen of them.
func (r *register) problem() *problem {
	cut := register{vals: r.vals, calls: slices.Clone(r.calls), clock: r.clock}
	cut.drop()
	cut.narrow()
	return cut.plain()
}

// plain is the calls as they are, for a search.
func (r *register) plain() *problem {
	p := &problem{
		init:   int32(0),
		step:   r.step,
		looks:  func(at int) bool { return r.calls[at].kind == read || r.calls[at].kind == refusal },
		digest: func(s any) digest { return digestOf(uint64(s.(int32)) | 1<<41) },
	}
	for _, c := range r.calls {
		p.intervals = append(p.intervals, interval{c.begin, c.end})
	}
	return p
}

// step applies a call. A cas of unknown outcome that does not find what it needs
// has been refused, as it may, and then need not be put in order.
func (r *register) step(state any, place int) (any, bool) {
	c := &r.calls[place]
	was := state.(int32)
	switch c.kind {
	case read:
		return state, was == c.value
	case refusal:
		return state, was != c.old
	case cas:
		if was != c.old {
			return state, false
		}
	}
	return c.value, true
}

// upTo returns the register as it was at the end of a call: calls that end later
// count as of unknown outcome.
func (r *register) upTo(end int32) *register {
	cut := &register{history: r.history, key: r.key, keyed: r.keyed, name: r.name, vals: r.vals, clock: r.clock, short: true}
	for _, c := range r.calls {
		if c.begin > end {
			break
		}
		if c.end > end && c.end != never {
			c.end, c.known = never, false
		}
		if c.known || c.kind == write || c.kind == cas {
			cut.calls = append(cut.calls, c)
		}
	}
	return cut
}

// drop leaves out calls of unknown outcome whose value nobody needed: without
// them the value before stays longer, and nobody looks. A refusal may have looked.
func (r *register) drop() {
	if r.hasRefusals() {
		return
	}
	needed := make([]bool, r.vals.len())
	needed[0] = true
	for again := true; again; {
		again = false
		for i := range slices.Backward(r.calls) {
			c := &r.calls[i]
			if c.kind == cas && (c.known || needed[c.value]) && !needed[c.old] {
				needed[c.old], again = true, true
			}
			if c.known && !needed[c.value] {
				needed[c.value], again = true, true
			}
		}
	}
	r.calls = slices.DeleteFunc(r.calls, func(c call) bool { return !c.known && !needed[c.value] })
}

// narrow makes the intervals of the calls smaller where a value was written only
// once: it was written before anybody who saw it was answered, and seen after
// its writer was invoked.
func (r *register) narrow() {
	entries, _ := r.entries()
	for i := range r.calls {
		c := &r.calls[i]
		sees := c.value
		if c.kind == cas && c.known {
			sees = c.old
		} else if c.kind != read {
			continue
		}
		e := &entries[sees]
		if e.writers != 1 || e.writer == none {
			continue
		}
		w := &r.calls[e.writer]
		w.end = max(w.begin, min(w.end, c.end))
		c.begin = min(c.end, max(c.begin, w.begin))
	}
}

// pinned finds the answer up to which there already is no order.
func (r *register) pinned(ctx context.Context, memory int) *violation {
	ends := make([]int32, len(r.calls))
	for i, c := range r.calls {
		ends[i] = c.end
	}
	place, certain := shortest(ends, never, func(end int32) (bool, error) {
		cut := r.upTo(end)
		answer, w, _ := cut.exact()
		if answer == illegal {
			return false, nil
		}
		answer, _, err := cut.search(ctx, memory, w)
		return answer == legal, err
	})
	last := int32(place)
	op := opOf(r.at(last))
	why := fmt.Sprintf("no order of the calls up to op %d explains all answers", op)
	if certain {
		why += fmt.Sprintf("; without %s (op %d) there is one", r.text(last), op)
	}
	intervals := func(at int) interval { return interval{r.calls[at].begin, r.calls[at].end} }
	return &violation{why: inKey(r.name, why), upTo: ends[place], calls: around(len(r.calls), place, intervals, func(at int) fallacy.Call { return r.at(int32(at)) })}
}
