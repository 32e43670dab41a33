package linearizable

import (
	"cmp"
	"slices"
)

// interval is when a call took effect at the earliest and at the latest, both included.
type interval struct{ begin, end int32 }

// window is the calls that a search has not put in order yet. It lists their
// beginnings and ends by time: those that begin before the first end may be next.
// Lists are doubly linked, so that what is taken out is put back at no cost.
type window struct {
	next, prev []int32 // by event; event 0 is head and tail
	owner      []int32 // the call that begins; of an end, the call's complement
	begins     []int32 // events by call
	ends       []int32 // events by call; 0: it need not happen, and never ends
	log        []int32 // calls taken out
	required   int     // calls that are left and must happen
	done       digest  // of the calls taken out
}

// digest tells sets and states apart. Two that differ have one digest with a
// chance of 1 in 2^128, which is taken for never.
type digest [2]uint64

func (d digest) with(e digest) digest { return digest{d[0] ^ e[0], d[1] ^ e[1]} }

// digestOf returns the digest of a set of one number.
func digestOf(n uint64) digest { return digest{scramble(n), scramble(n ^ 0x6a09e667f3bcc908)} }

// scramble is the finalizer of SplitMix64.
func scramble(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

func newWindow(calls []interval) *window {
	w := &window{begins: make([]int32, len(calls)), ends: make([]int32, len(calls))}
	for _, c := range calls {
		if c.end != never {
			w.required++
		}
	}
	events := len(calls) + w.required + 1
	w.next, w.prev, w.owner = make([]int32, events), make([]int32, events), make([]int32, events)
	for i, e := range inTime(calls) {
		at := int32(i + 1)
		w.owner[at] = e
		if e >= 0 {
			w.begins[e] = at
		} else {
			w.ends[^e] = at
		}
	}
	for i := range w.next {
		w.next[i], w.prev[i] = int32((i+1)%events), int32((i+events-1)%events)
	}
	return w
}

// inTime returns calls, for their beginnings, and their complements, for their
// ends, by time. Of two at one time the beginning comes first.
func inTime(calls []interval) []int32 {
	first, last, n := int32(never), int32(0), len(calls)
	for _, c := range calls {
		first, last = min(first, c.begin), max(last, c.begin)
		if c.end != never {
			last = max(last, c.end)
			n++
		}
	}
	const sparse = 8
	if n == 0 || int(last-first) > sparse*n {
		return inTimeSorted(calls, n)
	}
	from := make([]int32, last-first+2) // where each instant's events go
	each := func(do func(at, event int32)) {
		for i, c := range calls {
			do(c.begin-first, int32(i))
		}
		for i, c := range calls {
			if c.end != never {
				do(c.end-first, ^int32(i))
			}
		}
	}
	each(func(at, _ int32) { from[at+1]++ })
	for i := range from[1:] {
		from[i+1] += from[i]
	}
	events := make([]int32, n)
	each(func(at, event int32) {
		events[from[at]] = event
		from[at]++
	})
	return events
}

// inTimeSorted is inTime for few calls over a long time.
func inTimeSorted(calls []interval, n int) []int32 {
	events := make([]int32, 0, n)
	for i := range calls {
		events = append(events, int32(i))
	}
	for i, c := range calls {
		if c.end != never {
			events = append(events, ^int32(i))
		}
	}
	at := func(e int32) int32 {
		if e >= 0 {
			return calls[e].begin
		}
		return calls[^e].end
	}
	slices.SortStableFunc(events, func(a, b int32) int { return cmp.Compare(at(a), at(b)) })
	return events
}

// take puts the call next in order.
func (w *window) take(call int32) {
	w.unlink(w.begins[call])
	if end := w.ends[call]; end != 0 {
		w.unlink(end)
		w.required--
	}
	w.log = append(w.log, call)
	w.done = w.done.with(digestOf(uint64(call)))
}

// untake takes back the last call that was put in order.
func (w *window) untake() (call int32) {
	call = w.log[len(w.log)-1]
	w.log = w.log[:len(w.log)-1]
	if end := w.ends[call]; end != 0 {
		w.relink(end)
		w.required++
	}
	w.relink(w.begins[call])
	w.done = w.done.with(digestOf(uint64(call)))
	return call
}

func (w *window) unlink(e int32) { w.next[w.prev[e]], w.prev[w.next[e]] = w.next[e], w.prev[e] }
func (w *window) relink(e int32) { w.next[w.prev[e]], w.prev[w.next[e]] = e, e }

// each calls do with the calls that may be next, in the order of their
// beginnings. When do takes the call, which it then must tell, those that may
// be next because of it come too.
func (w *window) each(do func(call int32) (took bool)) {
	for e := w.next[0]; e != 0 && w.owner[e] >= 0; {
		before := w.prev[e]
		if do(w.owner[e]) {
			e = before
		}
		e = w.next[e]
	}
}

// firstEnd returns the call that must be in order before any that begins after
// its end; none if no call must.
func (w *window) firstEnd() int32 {
	for e := w.next[0]; e != 0; e = w.next[e] {
		if w.owner[e] < 0 {
			return ^w.owner[e]
		}
	}
	return none
}
