package txn

// registerEdges adds who overwrote (ww), read (wr) or read what was overwritten by
// (rw) whom. Only committed transactions are in it.
func (h *history) registerEdges(d *draft) error {
	hubs := h.overwriteEdges(d, h.overwrote.done)
	for t := range h.txns {
		if !h.txns[t].ok() {
			continue
		}
		mops := h.at(int32(t))
		for i := range mops {
			m := &mops[i]
			if m.kind != read || !m.external {
				continue
			}
			d.add(int32(t), hubs[m.version], rw)
			switch writers := h.committedWriters(m.version); {
			case len(writers) == 1:
				d.add(writers[0], int32(t), wr)
			case len(writers) > 1:
				return unfitf("%s read %v from %s, which %s and %s wrote: values that are read must be unique for a key",
					h.name(int32(t)), h.value(m.version), h.keyName(m.key), h.name(writers[0]), h.name(writers[1]))
			}
		}
	}
	return nil
}

// committedWriters returns the committed transactions that left a version. The
// slice is good until the next call.
func (h *history) committedWriters(id int32) []int32 {
	v := &h.all[id]
	if v.writer == none {
		return nil
	}
	h.scratch = h.scratch[:0]
	if !v.multiple {
		if h.txns[v.writer].ok() && h.mops[v.write].external {
			h.scratch = append(h.scratch, v.writer)
		}
		return h.scratch
	}
	for _, op := range h.writes(id) {
		if t := h.owner(op); h.txns[t].ok() && h.mops[op].external {
			h.scratch = append(h.scratch, t)
		}
	}
	return h.scratch
}

// overwriteEdges adds edges between the writers of versions of which one came
// before the other. It returns, by version, what stands for all that overwrote
// it: none, one transaction, or a vertex that passes on to them.
func (h *history) overwriteEdges(d *draft, versions *graph) (hubs []int32) {
	hubs = make([]int32, versions.txns)
	for v := range hubs {
		hubs[v] = none
		for at := versions.first[v]; at < versions.first[v+1]; at++ {
			for _, w := range h.committedWriters(versions.to[at]) {
				switch hub := hubs[v]; {
				case hub == none:
					hubs[v] = w
				case hub == w:
				case hub < d.txns:
					hubs[v] = d.vertex()
					d.add(hubs[v], hub, pass)
					d.add(hubs[v], w, pass)
				default:
					d.add(hub, w, pass)
				}
			}
		}
		if hubs[v] == none || h.all[v].writer == none {
			continue
		}
		for _, w := range h.committedWriters(int32(v)) {
			d.add(w, hubs[v], ww)
		}
	}
	return hubs
}
