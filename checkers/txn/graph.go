package txn

import (
	"cmp"
	"slices"
)

// kind is why one transaction comes before another.
type kind uint8

// The kinds, from the strongest evidence to the weakest. A set of kinds is their
// sum.
const (
	ww       kind = 1 << iota // the other overwrote, or appended next to, what it wrote
	wr                        // the other read what it wrote
	rw                        // it read what the other overwrote or appended to
	process                   // the same process invoked it earlier
	realtime                  // it had ended before the other was invoked
	pass                      // on from a vertex that is no transaction, and no step by itself
)

var kindNames = map[kind]string{ww: "ww", wr: "wr", rw: "rw", process: "process", realtime: "realtime"}

// graph is who comes before whom. The first vertices are transactions. The others
// stand for many edges at once: whoever leads to one, by an edge of some kind,
// comes before all that it passes on to. So the readers of a version and those
// that overwrote it are joined by as many edges as they are, and not by the
// product, and real time takes three edges a transaction.
type graph struct {
	txns  int32 // how many of the vertices are transactions
	size  int32
	first []int32 // of each vertex, its first edge; one more at the end
	to    []int32
	kinds []kind
	edge  []int32 // the numbers of the edges in the draft, if it was asked to keep them
}

// draft is a graph that is being made.
type draft struct {
	graph
	from    []int32
	numbers bool // keep the edges' numbers
	loops   bool // some edge would have led to where it began
}

func newDraft(txns, edges int) *draft {
	d := &draft{graph: graph{txns: int32(txns), size: int32(txns)}}
	d.from = make([]int32, 0, edges)
	d.to = make([]int32, 0, edges)
	d.kinds = make([]kind, 0, edges)
	return d
}

// vertex adds a vertex that is no transaction.
func (d *draft) vertex() int32 {
	d.size++
	return d.size - 1
}

// add adds an edge, unless it would begin or end nowhere or where it began.
func (d *draft) add(from, to int32, k kind) {
	if from == none || to == none {
		return
	}
	if from == to {
		d.loops = true
		return
	}
	d.from = append(d.from, from)
	d.to = append(d.to, to)
	d.kinds = append(d.kinds, k)
}

// finish puts the edges of each vertex side by side.
func (d *draft) finish() *graph {
	g := d.graph
	g.first = make([]int32, g.size+1)
	for _, v := range d.from {
		g.first[v+1]++
	}
	for v := range g.size {
		g.first[v+1] += g.first[v]
	}
	next := slices.Clone(g.first[:g.size])
	g.to = make([]int32, len(d.to))
	g.kinds = make([]kind, len(d.to))
	if d.numbers {
		g.edge = make([]int32, len(d.to))
	}
	for i, v := range d.from {
		g.to[next[v]], g.kinds[next[v]] = d.to[i], d.kinds[i]
		if d.numbers {
			g.edge[next[v]] = int32(i)
		}
		next[v]++
	}
	return &g
}

// addOrders adds the orders of processes and of real time, if they are asked
// for, and tells whether there is anything in them.
func (h *history) addOrders(d *draft) bool {
	some := false
	if h.process {
		last := make(map[int32]int32)
		for t := range h.txns {
			if !h.txns[t].ok() {
				continue
			}
			p := h.txns[t].process
			if before, ok := last[p]; ok {
				d.add(before, int32(t), process)
				some = true
			}
			last[p] = int32(t)
		}
	}
	if h.realtime {
		all := make([]int32, len(h.txns))
		for t := range all {
			all[t] = int32(t)
		}
		h.addRealtime(d, all)
		some = some || h.hasRealtime()
	}
	return some
}

// hasRealtime tells whether some transaction had ended before another was
// invoked, even one that failed.
func (h *history) hasRealtime() bool {
	ended := int32(none)
	for t := range h.txns {
		if h.txns[t].ok() && ended == none {
			ended = h.txns[t].complete
		}
		if ended != none && h.txns[t].invoke > ended && h.txns[t].complete != none {
			return true
		}
	}
	return false
}

// addRealtime adds the order in real time of some transactions, whose vertices
// are their places among them: a vertex for each end of a committed one, which
// passes on to the next end and to all that were invoked before that.
func (h *history) addRealtime(d *draft, members []int32) {
	var begun, ends []int32 // places of members by invocation, and by completion, as they come
	for at, t := range members {
		if h.txns[t].possible() && h.txns[t].invoke != none {
			begun = append(begun, int32(at))
		}
		if h.txns[t].ok() {
			ends = append(ends, int32(at))
		}
	}
	invoked := func(at int32) int32 { return h.txns[members[at]].invoke }
	if len(members) == len(h.txns) {
		begun = h.byInvocation(begun)
	} else {
		slices.SortFunc(begun, func(a, b int32) int { return cmp.Compare(invoked(a), invoked(b)) })
	}
	next := 0
	last := int32(none)
	for i, at := range ends {
		v := d.vertex()
		d.add(at, v, realtime)
		d.add(last, v, pass)
		last = v
		end := h.txns[members[at]].complete
		for next < len(begun) && invoked(begun[next]) < end {
			next++
		}
		for ; next < len(begun) && (i+1 == len(ends) || invoked(begun[next]) < h.txns[members[ends[i+1]]].complete); next++ {
			d.add(v, begun[next], pass)
		}
	}
}

// byInvocation sorts many transactions by their invocations; those of which that
// is not known come first.
func (h *history) byInvocation(txns []int32) []int32 {
	at := make([]int32, len(h.input)) // by place in the history, from 1
	out := make([]int32, 0, len(txns))
	for _, t := range txns {
		if place := h.txns[t].invoke; place != none {
			at[place] = t + 1
		} else {
			out = append(out, t)
		}
	}
	for _, t := range at {
		if t > 0 {
			out = append(out, t-1)
		}
	}
	return out
}
