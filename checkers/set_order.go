package checkers

import (
	"cmp"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// checkOrder decides whether the reads and adds can be put in an order. Reads
// must form a chain under inclusion. Each add then belongs directly before the
// first read that shows its element, or last; an add of unknown outcome that was
// never seen need not have happened. Real time must agree with that order, which
// one pass finds out: no call may end before one that comes earlier has begun.
//
// It expects that nothing was found missing, duplicated or made up.
func (s *setHistory) checkOrder() {
	reads := slices.SortedStableFunc(slices.Values(s.reads), func(a, b setRead) int {
		return cmp.Compare(len(a.elements), len(b.elements))
	})
	placed := make([]bool, len(s.elements))
	var walk orderWalk
	for i := 0; i < len(reads); {
		fresh := s.unplaced(reads[i], placed)
		if walk.placed += len(fresh); walk.placed != len(reads[i].elements) {
			s.reportFork(reads[i-1], reads[i])
			return
		}
		walk.addsBefore(s, fresh)
		j := i
		for ; j < len(reads) && len(reads[j].elements) == len(reads[i].elements); j++ {
			if j > i && !slices.Equal(reads[i].elements, reads[j].elements) {
				s.reportFork(reads[i], reads[j])
				return
			}
			walk.check(s, reads[j].Call, reads[j].Complete.Index)
		}
		for ; i < j; i++ {
			walk.advance(reads[i].Call, reads[i].Invoke.Index)
		}
	}
	for at := range s.elements {
		if e := &s.elements[at]; !placed[at] && e.acked.Invoke != nil {
			walk.check(s, e.add, e.ended)
		}
	}
}

// unplaced returns the elements of r that are not placed yet, and places them.
func (s *setHistory) unplaced(r setRead, placed []bool) []int32 {
	var fresh []int32
	for _, at := range r.elements {
		if !placed[at] {
			placed[at] = true
			fresh = append(fresh, at)
		}
	}
	return fresh
}

// reportFork reports two reads that each have, or that cannot both have, what
// the other lacks. a has no more elements than b.
func (s *setHistory) reportFork(a, b setRead) {
	lacks := func(r, other setRead) fallacy.Value {
		for _, at := range r.elements {
			if _, ok := slices.BinarySearch(other.elements, at); !ok {
				return s.elements[at].value
			}
		}
		return fallacy.Nil()
	}
	s.found.add("nonlinearizable", []fallacy.Call{a.Call, b.Call},
		"process %d's read (op %d) has %v and lacks %v, process %d's read (op %d) has %v and lacks %v: neither can come before the other",
		a.Invoke.Process, opOf(a.Call), lacks(a, b), lacks(b, a),
		b.Invoke.Process, opOf(b.Call), lacks(b, a), lacks(a, b))
}

// orderWalk walks along the only possible order and remembers the latest
// invocation passed.
type orderWalk struct {
	placed int
	latest int
	holder fallacy.Call // whose invocation that is
	broken bool
}

func (w *orderWalk) addsBefore(s *setHistory, elements []int32) {
	for _, at := range elements {
		w.check(s, s.elements[at].add, s.elements[at].ended)
	}
	for _, at := range elements {
		w.advance(s.elements[at].add, s.elements[at].begun)
	}
}

// check reports c if it ended before the call at the latest place so far began.
func (w *orderWalk) check(s *setHistory, c fallacy.Call, ended int) {
	if w.holder.Invoke == nil || ended >= w.latest || w.broken {
		return
	}
	w.broken = true
	s.found.add("nonlinearizable", []fallacy.Call{c, w.holder},
		"process %d's %s (op %d) had ended before process %d's %s (op %d) was invoked, and the contents of the reads put it after that",
		c.Invoke.Process, callText(c), opOf(c), w.holder.Invoke.Process, callText(w.holder), w.holder.Invoke.Index)
}

func (w *orderWalk) advance(c fallacy.Call, begun int) {
	if w.holder.Invoke == nil || begun > w.latest {
		w.holder, w.latest = c, begun
	}
}

// callText names a call with its argument: "add 7".
func callText(c fallacy.Call) string {
	if c.Invoke.Value.IsNil() {
		return c.Invoke.F
	}
	return c.Invoke.F + " " + c.Invoke.Value.String()
}
