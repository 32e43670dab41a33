package checkers

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/fallacy-dev/fallacy"
)

// reportReordered reports items of which an earlier one was enqueued before and
// dequeued after, in real time both. One pass over the items by the invocation
// of their enqueue, with the latest dequeue among those surely enqueued before.
func reportReordered(found *evidence, items []*item) {
	bySurely := slices.SortedFunc(slices.Values(items), func(a, b *item) int { return cmp.Compare(a.surely, b.surely) })
	var last *item // dequeued latest
	next := 0
	for _, y := range byEnqueue(items) {
		for ; next < len(bySurely) && bySurely[next].surely < y.in.Invoke.Index; next++ {
			x := bySurely[next]
			if x.outs > 0 && (last == nil || x.leaves() > last.leaves()) {
				last = x
			}
		}
		if y.outs == 0 || last == nil || y.out.Complete.Index >= last.leaves() {
			continue
		}
		found.add("reordered", []fallacy.Call{last.in, y.in, y.out, last.out},
			"%v was enqueued (op %d) before the enqueue of %v was invoked (op %d), and %v was dequeued (op %d) before the dequeue that returned %v was invoked (op %d)",
			last.value, opOf(last.in), y.value, y.in.Invoke.Index, y.value, opOf(y.out), last.value, last.out.Invoke.Index)
	}
}

func byEnqueue(items []*item) []*item {
	return slices.SortedFunc(slices.Values(items), func(a, b *item) int { return cmp.Compare(a.in.Invoke.Index, b.in.Invoke.Index) })
}

// missing is an item that must have come out before the deadline, as witness shows.
type missing struct {
	*item
	deadline int
	witness  fallacy.Call
}

// reportLost reports items that must have come out and did not. Dequeues of
// unknown outcome can each have taken one, before its deadline: they are dealt
// out by earliest deadline.
func (q *queueHistory) reportLost(items []*item) {
	gone := q.missing(items)
	if len(gone) == 0 {
		return
	}
	slices.SortFunc(gone, func(a, b missing) int { return cmp.Compare(a.deadline, b.deadline) })
	takers := q.unknown // by invocation
	forgiven := 0
	for _, m := range gone {
		if len(takers) > 0 && takers[0].Invoke.Index < m.deadline {
			takers = takers[1:]
			forgiven++
			continue
		}
		how := "found the queue empty"
		if m.witness.Type() == fallacy.OK {
			how = "got " + m.witness.Value().String() + ", which was enqueued after it"
		}
		q.found.add("lost", []fallacy.Call{m.in, m.witness},
			"%v was enqueued by process %d (op %d) and never dequeued, although process %d's dequeue (op %d) %s; dequeues of unknown outcome can account for %d of %d such elements",
			m.value, m.in.Invoke.Process, opOf(m.in), m.witness.Invoke.Process, opOf(m.witness), how, forgiven, len(gone))
	}
}

// missing returns the items that never came out although they must have, since
// a later one did or the queue was found empty.
func (q *queueHistory) missing(items []*item) []missing {
	later := earliestFrom(byEnqueue(items),
		func(it *item) int { return it.in.Invoke.Index },
		func(it *item) fallacy.Call { return it.out })
	empty := earliestFrom(q.empties,
		func(c fallacy.Call) int { return c.Invoke.Index },
		func(c fallacy.Call) fallacy.Call { return c })
	var gone []missing
	for _, x := range items {
		if x.outs > 0 {
			continue
		}
		witness := later(x.surely)
		if e := empty(x.surely); e.Invoke != nil && (witness.Invoke == nil || e.Complete.Index < witness.Complete.Index) {
			witness = e
		}
		if witness.Invoke != nil {
			gone = append(gone, missing{x, witness.Complete.Index, witness})
		}
	}
	return gone
}

// earliestFrom returns a function that finds, among the elements that begin
// after a given time, the call that completed first. Elements come by their beginning.
func earliestFrom[E any](elements []E, begins func(E) int, call func(E) fallacy.Call) func(after int) fallacy.Call {
	first := make([]fallacy.Call, len(elements)+1)
	for i := len(elements) - 1; i >= 0; i-- {
		first[i] = first[i+1]
		if c := call(elements[i]); c.Invoke != nil && (first[i].Invoke == nil || c.Complete.Index < first[i].Complete.Index) {
			first[i] = c
		}
	}
	return func(after int) fallacy.Call {
		return first[sort.Search(len(elements), func(i int) bool { return begins(elements[i]) > after })]
	}
}

// stay is how long an item certainly was in the queue.
type stay struct {
	*item
	from, to int // neither included
}

// stays returns how long items were in the queue, by beginning, those left out
// that ended no later than one before them. What no known dequeue took, dequeues
// of unknown outcome can have taken, each one item and not before it was invoked.
// They are dealt out in order, the earliest to the item that is surely there
// earliest: with any other deal, the items together cover more time, as of two
// items the one that is there first would wait for the later dequeue.
func (q *queueHistory) stays(items []*item) []stay {
	takers := q.unknown // by invocation
	bySurely := slices.SortedFunc(slices.Values(items), func(a, b *item) int { return cmp.Compare(a.surely, b.surely) })
	var stays []stay
	for _, it := range bySurely {
		s := stay{it, it.surely, it.leaves()}
		if it.outs == 0 && len(takers) > 0 {
			s.to = takers[0].Invoke.Index
			takers = takers[1:]
		}
		if s.to > s.from && (len(stays) == 0 || s.to > stays[len(stays)-1].to) {
			stays = append(stays, s)
		}
	}
	return stays
}

// reportFalseEmpties reports dequeues that found nothing while at each instant
// something surely was there: their time is covered by items' stays. Where one
// item that never came out does it alone, lost has told of it.
func (q *queueHistory) reportFalseEmpties(items []*item) {
	stays := q.stays(items)
	for _, e := range q.empties {
		chain := covering(stays, e.Invoke.Index, e.Complete.Index)
		if len(chain) == 0 || len(chain) == 1 && chain[0].outs == 0 {
			continue
		}
		calls := []fallacy.Call{e}
		for _, s := range chain[:min(len(chain), mostOfAName)] {
			calls = append(calls, s.in, s.out)
		}
		q.found.add("false empty", calls,
			"process %d found the queue empty (op %d), but %v had been enqueued (op %d) before it asked%s",
			e.Invoke.Process, opOf(e), chain[0].value, opOf(chain[0].in), untilText(chain))
	}
}

// untilText says how long items were there.
func untilText(chain []stay) string {
	last := chain[len(chain)-1]
	until := "which had not been dequeued yet"
	if last.outs > 0 {
		until = fmt.Sprintf("and the dequeue that took it was invoked only after the answer (op %d)", last.out.Invoke.Index)
	}
	if len(chain) == 1 {
		return ", " + until
	}
	return fmt.Sprintf(", and from then on something was always there, at last %v, %s", last.value, until)
}

// covering returns stays that together cover [from, to], each beginning before
// the one before it ends; nil if some instant is left open.
func covering(stays []stay, from, to int) []stay {
	var chain []stay
	for at := from; ; {
		// Of those there at this instant, the one that began last ends last.
		i := sort.Search(len(stays), func(i int) bool { return stays[i].from >= at }) - 1
		if i < 0 || stays[i].to <= at {
			return nil
		}
		chain = append(chain, stays[i])
		if at = stays[i].to; at > to {
			return chain
		}
	}
}
