package linearizable

import (
	"context"
	"fmt"
	"slices"
)

func (r *register) hasRefusals() bool {
	return slices.ContainsFunc(r.calls, func(c call) bool { return c.kind == refusal })
}

// surelyThere finds a refusal that ran wholly in a time in which the value that
// it wanted was there: between the first end of a call that wrote or saw it and
// the last beginning of one that saw or took it.
func (r *register) surelyThere(entries []entry) *violation {
	for i := range r.calls {
		c := &r.calls[i]
		if c.kind != refusal || !entries[c.old].needed {
			continue
		}
		from, to, fromCall, toCall := r.stay(entries, c.old)
		if from < c.begin && c.end < to {
			return r.refusedInVain(entries, int32(i), fromCall, toCall)
		}
	}
	return nil
}

// stay returns the time in which a value surely was there, and the calls that
// show it.
func (r *register) stay(entries []entry, v int32) (from, to, fromCall, toCall int32) {
	e := &entries[v]
	from, to, fromCall, toCall = never, beginning, none, none
	if v == 0 {
		from = beginning
	}
	taker := int32(none)
	if e.next != none {
		taker = entries[e.next].writer
	}
	for _, at := range [...]int32{e.writer, e.soonRead, taker} {
		if at != none && r.calls[at].end < from {
			from, fromCall = r.calls[at].end, at
		}
	}
	for _, at := range [...]int32{e.lastRead, taker} {
		if at != none && r.calls[at].begin > to {
			to, toCall = r.calls[at].begin, at
		}
	}
	return from, to, fromCall, toCall
}

func (r *register) refusedInVain(entries []entry, refused, from, to int32) *violation {
	places, proof := r.proved(entries, refused, from, to)
	since := "at first"
	if from != none {
		since = "since " + r.ended(from)
	}
	return r.violated(places, "%s was refused (op %d), but %s was there from before it was invoked (op %d), %s, until after its answer: only then %s%s",
		r.text(refused), opOf(r.at(refused)), r.value(r.calls[refused].old), r.history[r.calls[refused].op].Index, since, r.invoked(to), proof)
}

// withRefusals decides a register whose calls are in order but for refusals.
func (r *register) withRefusals(ctx context.Context, memory int, w *witness) (answer, *violation, error) {
	if v := r.surelyThere(w.entries); v != nil {
		return illegal, v, nil
	}
	ok, err := r.blocks(w).search(ctx, memory)
	switch {
	case err != nil:
		return undecided, nil, fmt.Errorf("searching for an order that explains all refusals of %d calls: %w", len(r.calls), err)
	case ok:
		return legal, nil, nil
	}
	return illegal, nil, nil
}

// blocks prepares the search.
func (r *register) blocks(w *witness) *blocks {
	n := len(w.entries)
	numbers := make([]int32, 4*n)
	b := &blocks{next: numbers[:n], writer: numbers[n : 2*n], readers: numbers[2*n : 3*n], rank: numbers[3*n:]}
	for v := range w.entries {
		b.next[v], b.writer[v] = w.entries[v].next, none
	}
	rank := int32(0)
	for _, at := range r.byLeft(w.chains) {
		if at > 0 {
			b.rank[w.chains[at-1].from] = rank
			rank++
		}
	}
	b.calls = make([]call, 0, len(r.calls))
	for _, c := range r.calls {
		if c.kind == read {
			b.readers[c.value]++
		}
		if c.known || w.entries[c.value].needed {
			if c.kind == write || c.kind == cas {
				b.writer[c.value] = int32(len(b.calls))
			}
			b.calls = append(b.calls, c)
		}
	}
	b.spares = r.spares(w.entries)
	b.narrow(w)
	intervals := make([]interval, len(b.calls))
	for i := range b.calls {
		intervals[i] = b.intervalOf(int32(i))
	}
	b.window = newWindow(intervals)
	return b
}

// spares returns the calls that need not have happened.
func (r *register) spares(entries []entry) spares {
	s := spares{byOld: make(map[int32][]int32)}
	wanted := make([]bool, len(entries)) // by a compare-and-set
	for _, c := range r.calls {
		if c.kind == refusal || c.kind == cas {
			wanted[c.old] = true
		}
	}
	for _, c := range r.calls {
		switch {
		case c.known || entries[c.value].needed:
		case c.kind == write && !wanted[c.value]:
			s.plain = append(s.plain, interval{c.begin, c.end})
		case c.kind == write:
			s.loose = append(s.loose, int32(len(s.named)))
			s.named = append(s.named, c)
		case c.kind == cas:
			s.byOld[c.old] = append(s.byOld[c.old], int32(len(s.named)))
			s.named = append(s.named, c)
		}
	}
	s.used = make([]bool, len(s.named))
	return s
}

// narrow makes the intervals of the calls smaller: whoever saw a value did so
// after its writer was invoked and while its taker had not ended. That gives an
// end to each call of unknown outcome that somebody saw.
func (b *blocks) narrow(w *witness) {
	latest := make([]int32, len(w.entries)) // the last beginning of its reads
	for i := range latest {
		latest[i] = beginning
	}
	first := make([]int32, len(w.entries)) // the first end
	for i := range first {
		first[i] = never
	}
	for _, c := range b.calls {
		if c.kind == read {
			latest[c.value], first[c.value] = max(latest[c.value], c.begin), min(first[c.value], c.end)
		}
	}
	for i := range w.chains {
		begin := int32(beginning)
		var path []int32
		for v := w.chains[i].from; v != none; v = b.next[v] {
			path = append(path, v)
			if at := b.writer[v]; at != none {
				begin = max(begin, b.calls[at].begin)
				b.calls[at].begin = begin
			}
			begin = max(begin, latest[v])
		}
		end := int32(never)
		for _, v := range slices.Backward(path) {
			end = min(end, first[v])
			if at := b.writer[v]; at != none {
				end = min(end, b.calls[at].end)
				b.calls[at].end = end
			}
		}
	}
	for i := range b.calls {
		if c := &b.calls[i]; c.kind == read && b.writer[c.value] != none {
			c.begin = max(c.begin, b.calls[b.writer[c.value]].begin)
		}
	}
}
