package txn

// appendEdges adds who overwrote (ww), read (wr) or did not yet see (rw) whose
// append: a key's elements in order give it.
func (h *history) appendEdges(d *draft) {
	h.orderEdges(d)
	hubs := h.unseenEdges(d)
	for t := range h.txns {
		if !h.txns[t].possible() {
			continue
		}
		mops := h.at(int32(t))
		for i := range mops {
			m := &mops[i]
			if m.kind != read {
				continue
			}
			d.add(h.writer(m.version), int32(t), wr)
			switch next := h.after(m.version); {
			case next != none:
				d.add(int32(t), h.writer(next), rw)
			case h.isLast(m):
				d.add(int32(t), hubs[m.key], rw)
			}
		}
	}
}

// writer returns the transaction that wrote a version, if it may have happened.
func (h *history) writer(id int32) int32 {
	if w := h.all[id].writer; w != none && h.txns[w].possible() {
		return w
	}
	return none
}

// isLast tells whether a read ends where all that reads show of the key ends.
func (h *history) isLast(m *mop) bool {
	v := &h.all[m.version]
	return v.initial || v.place != none
}

// orderEdges adds edges between the writers of neighbours.
func (h *history) orderEdges(d *draft) {
	for k := range h.keys {
		before := int32(none)
		for i, id := range h.keys[k].raw {
			if h.all[id].place != int32(i) {
				continue
			}
			w := h.writer(id)
			d.add(before, w, ww)
			before = w
		}
	}
}

// unseenEdges adds edges to those whose appends no read shows: if they happened,
// they come after all that reads show. It returns, by key, what stands for them:
// one transaction, or a vertex that passes on to all.
func (h *history) unseenEdges(d *draft) (hubs []int32) {
	hubs = make([]int32, len(h.keys))
	for k := range hubs {
		hubs[k] = none
	}
	for id := range h.all {
		v := &h.all[id]
		w := h.writer(int32(id))
		if v.place != none || w == none {
			continue
		}
		d.add(h.writer(h.before(int32(id))), w, ww)
		switch hub := hubs[v.key]; {
		case hub == none:
			hubs[v.key] = w
		case hub < d.txns:
			if hub == w {
				continue
			}
			hubs[v.key] = d.vertex()
			d.add(hubs[v.key], hub, pass)
			d.add(hubs[v.key], w, pass)
		default:
			d.add(hub, w, pass)
		}
	}
	return hubs
}
