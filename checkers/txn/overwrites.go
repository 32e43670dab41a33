package txn

import (
	"cmp"
	"fmt"
	"slices"
)

// Sources of the order of a register's versions, with Elle's names.
const (
	initialState = iota
	transactionOrder
	wfrKeys
	sequentialKeys
	linearizableKeys
)

var sourceNames = [...]string{"initial-state", "transaction-order", "wfr-keys", "sequential-keys", "linearizable-keys"}

// overwrites is which versions of registers came before which: a graph whose
// vertices are versions.
type overwrites struct {
	*history
	*draft
	done    *graph    // the finished draft
	because []because // why, by edge
	sources []uint8   // that are in it
}

// because is why one version comes before another: what two transactions, or
// one, did to the key.
type because struct {
	a, b   int32
	source uint8
}

// assumption is a source of the order of versions.
type assumption struct {
	source uint8
	add    func() // all that it says
}

// overwritten finds which versions came before which. A source of it by which
// some would come before themselves is reported, and left out.
func (h *history) overwritten() *overwrites {
	touches := h.touches()
	o := &overwrites{history: h}
	sources := []assumption{{initialState, func() { o.initial(touches) }}}
	most := len(h.all)
	if len(h.TransactionOrder) > 0 {
		sources = append(sources, assumption{transactionOrder, o.told})
	}
	if h.WFRKeys {
		sources = append(sources, assumption{wfrKeys, func() { o.wfr(touches) }})
		most += len(h.all)
	}
	if h.SequentialKeys || h.LinearizableKeys {
		k := newTouched(h, touches)
		most += len(touches)
		if h.SequentialKeys {
			sources = append(sources, assumption{sequentialKeys, func() { k.sequential(o) }})
		}
		if h.LinearizableKeys {
			sources = append(sources, assumption{linearizableKeys, func() { k.linearizable(o) }})
		}
	}
	o.draft = newDraft(len(h.all), most)
	o.numbers = true
	o.because = make([]because, 0, most)
	o.sum(sources)
	return o
}

// sum puts the sources together, or, if that makes circles, one after the other.
func (o *overwrites) sum(sources []assumption) {
	for _, s := range sources {
		s.add()
		o.sources = append(o.sources, s.source)
	}
	o.done = o.finish()
	if len(sources) == 1 || len(o.done.circles()) == 0 { // the initial state makes none
		return
	}
	o.sources = o.sources[:0]
	o.cut(0)
	for _, s := range sources {
		o.try(s)
	}
	o.done = o.finish()
}

// cut drops all edges from the nth on.
func (o *overwrites) cut(n int) {
	o.from, o.to, o.kinds, o.because = o.from[:n], o.to[:n], o.kinds[:n], o.because[:n]
}

// overwrite adds that version v came before w.
func (o *overwrites) overwrite(v, w int32, why because) {
	if v != none && w != none && v != w {
		o.add(v, w, ww)
		o.because = append(o.because, why)
	}
}

// try adds what a source says, unless that makes circles.
func (o *overwrites) try(a assumption) {
	n := len(o.from)
	a.add()
	o.sources = append(o.sources, a.source)
	g := o.finish()
	sets := g.circles()
	if len(sets) == 0 {
		return
	}
	for _, set := range sets {
		o.cyclic(g, set)
	}
	o.sources = o.sources[:len(o.sources)-1]
	o.cut(n)
}

// cyclic reports versions of a key that come before themselves.
func (o *overwrites) cyclic(g *graph, set []int32) {
	var sources []string
	for _, s := range o.sources {
		sources = append(sources, sourceNames[s])
	}
	circle := shortestCircle(o.part(g, set), ww)
	var txns []int32
	var clauses []string
	for i := range circle {
		v, w := set[circle[i].from], set[circle[i].to]
		b := o.because[o.edgeBetween(g, v, w)]
		clauses = append(clauses, o.whyBefore(v, w, b))
		txns = append(txns, b.a, b.b)
	}
	txns = slices.DeleteFunc(txns, func(t int32) bool { return t == none })
	o.report("cyclic-versions", txns, func() string {
		return fmt.Sprintf("versions of %s come before themselves, by %s: %s",
			o.keyName(o.all[set[0]].key), enumerate(sources), joined(clauses))
	})
}

// part returns the part of a graph between some of its vertices.
func (o *overwrites) part(g *graph, set []int32) *graph {
	place := make(map[int32]int32, len(set))
	for i, v := range set {
		place[v] = int32(i)
	}
	d := newDraft(len(set), len(set))
	for i, v := range set {
		for at := g.first[v]; at < g.first[v+1]; at++ {
			if j, ok := place[g.to[at]]; ok {
				d.add(int32(i), j, ww)
			}
		}
	}
	return d.finish()
}

// edgeBetween returns the number of an edge; none if there is none.
func (o *overwrites) edgeBetween(g *graph, v, w int32) int32 {
	for at := g.first[v]; at < g.first[v+1]; at++ {
		if g.to[at] == w {
			return g.edge[at]
		}
	}
	return none
}

// initial adds that the initial version came before all others.
func (o *overwrites) initial(touches []touch) {
	added := make([]bool, len(o.all))
	for i := range touches {
		t := &touches[i]
		for _, id := range [2]int32{t.read, t.wrote} {
			if id != none && !added[id] {
				added[id] = true
				o.overwrite(o.keys[t.key].initial, id, because{t.txn, none, initialState})
			}
		}
	}
}

// wfr adds that who wrote a key after reading it overwrote what it read.
func (o *overwrites) wfr(touches []touch) {
	for i := range touches {
		t := &touches[i]
		if t.read != none && !o.all[t.read].initial {
			o.overwrite(t.read, t.wrote, because{t.txn, t.txn, wfrKeys})
		}
	}
}

// told adds the order of transactions that the target told.
func (o *overwrites) told() {
	type place struct{ txn, at int32 }
	var all []place
	for t := range o.txns {
		if at, ok := o.TransactionOrder[o.op(int32(t))]; ok && o.txns[t].possible() {
			all = append(all, place{int32(t), int32(at)})
		}
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Compare(a.at, b.at) })
	last := make(map[int32]*mop)
	lastTxn := make(map[int32]int32)
	for _, p := range all {
		mops := o.at(p.txn)
		for i := range mops {
			m := &mops[i]
			if m.kind != write || !m.external {
				continue
			}
			if before, ok := last[m.key]; ok {
				o.overwrite(before.version, m.version, because{lastTxn[m.key], p.txn, transactionOrder})
			}
			last[m.key], lastTxn[m.key] = m, p.txn
		}
	}
}
