package txn

import "github.com/fallacy-dev/fallacy"

// lists is what reads say of the order of a key's elements.
type lists struct {
	longest []fallacy.Value // the longest read
	raw     []int32         // its elements, as versions
	dup     int32           // reads longer than this have an element twice
	isOdd   bool            // some read is not the beginning of the longest
}

// offer makes a read the longest if it is.
func (l *lists) offer(list []fallacy.Value) {
	if len(list) > len(l.longest) {
		l.longest = list
	}
}

// order finds the order of each key's elements: that of its longest read, of
// which all others are beginnings. A read then needs no list of its own, but
// for the odd ones.
func (h *history) order() {
	total := 0
	for i := range h.keys {
		total += len(h.keys[i].longest)
	}
	arena := make([]int32, 0, total)
	for i := range h.keys {
		k := &h.keys[i]
		from := len(arena)
		for _, e := range k.longest {
			arena = append(arena, h.intern(int32(i), e))
		}
		k.raw = arena[from:len(arena):len(arena)]
		h.place(k)
	}
	for t := range h.txns {
		if !h.txns[t].possible() || h.txns[t].complete == none {
			continue
		}
		h.compact(int32(t))
	}
}

// place gives the versions in a key's order their places, each where it is first.
func (h *history) place(k *key) {
	k.dup = int32(len(k.raw))
	for i, id := range k.raw {
		switch {
		case h.all[id].place == none:
			h.all[id].place = int32(i)
		case k.dup == int32(len(k.raw)):
			k.dup = int32(i)
		}
	}
}

// isFirst tells whether the element at a place of a key's order is there for the
// first time.
func (h *history) isFirst(k *key, place int32) bool { return h.all[k.raw[place]].place == place }

// before returns the version after which an element was appended. One that no
// read shows comes after all that one shows.
func (h *history) before(id int32) int32 {
	k := &h.keys[h.all[id].key]
	place := h.all[id].place
	if place == none {
		place = int32(len(k.raw))
	}
	for place--; place >= 0; place-- {
		if h.isFirst(k, place) {
			return k.raw[place]
		}
	}
	return k.initial
}

// after returns the version that was appended next to one, of those that a read
// shows; none after the last and after one that is not in the order.
func (h *history) after(id int32) int32 {
	k := &h.keys[h.all[id].key]
	place := h.all[id].place
	if place == none && id != k.initial {
		return none
	}
	for place++; place < int32(len(k.raw)); place++ {
		if h.isFirst(k, place) {
			return k.raw[place]
		}
	}
	return none
}

// compact compares what a transaction read with the orders.
func (h *history) compact(t int32) {
	var ops []fallacy.MicroOp
	mops := h.at(t)
	for i := range mops {
		m := &mops[i]
		if m.kind != read || m.size == 0 {
			continue
		}
		if ops == nil {
			ops, _, _ = h.source(&h.txns[t])
		}
		list, _ := ops[i].Value.List()
		k := &h.keys[m.key]
		if isPrefix(list, k.longest) {
			m.version = k.raw[len(list)-1]
			continue
		}
		k.isOdd = true
		ids := make([]int32, len(list))
		for j, e := range list {
			ids[j] = h.intern(m.key, e)
		}
		h.odd = append(h.odd, ids)
		m.size, m.version = int32(-len(h.odd)), ids[len(ids)-1]
	}
}

// isPrefix tells whether a, which is no longer than b, is its beginning.
func isPrefix(a, b []fallacy.Value) bool {
	b = b[:len(a)]
	if &a[0] == &b[0] {
		return true
	}
	for i := len(a) - 1; i >= 0; i-- { // they differ at the end, if at all
		x, xIsInt := a[i].Int()
		y, yIsInt := b[i].Int()
		if x != y || xIsInt != yIsInt || !xIsInt && !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

// list returns the elements of a read, as versions.
func (h *history) list(m *mop) []int32 {
	if m.size < 0 {
		return h.odd[-m.size-1]
	}
	return h.keys[m.key].raw[:m.size]
}
