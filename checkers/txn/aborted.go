package txn

import (
	"fmt"
	"slices"
)

// marks finds which micro-ops others can tell; see [mop].
func (h *history) marks() {
	seen := make([]int32, len(h.keys)) // in which transaction last, from 1
	last := make([]int32, len(h.keys)) // its last write of the key; none
	for t := range h.txns {
		for i := h.txns[t].first; i < h.txns[t].last; i++ {
			m := &h.mops[i]
			isFirst := seen[m.key] != int32(t+1)
			if isFirst {
				seen[m.key], last[m.key] = int32(t+1), none
			}
			switch {
			case m.kind == write:
				if last[m.key] != none {
					h.mops[last[m.key]].external = false
				}
				m.external, last[m.key] = true, i
			case m.kind == read:
				m.external = isFirst
			}
		}
	}
}

// strange are places of a list's elements that nobody wrote, and that only
// failed transactions did.
type strange struct{ garbage, failed []int32 }

// strangers finds them in the keys' orders, by key.
func (h *history) strangers() map[int32]strange {
	all := make(map[int32]strange)
	for k := range h.keys {
		for i, id := range h.keys[k].raw {
			w := h.all[id].writer
			if w != none && h.txns[w].possible() {
				continue
			}
			s := all[int32(k)]
			if w == none {
				s.garbage = append(s.garbage, int32(i))
			} else {
				s.failed = append(s.failed, int32(i))
			}
			all[int32(k)] = s
		}
	}
	return all
}

// aborted reports reads of what nobody wrote (garbage-read), of what failed
// transactions wrote (G1a), and of what its writer then overwrote (G1b).
func (h *history) aborted() {
	strangers := h.strangers()
	for t := range h.txns {
		if !h.txns[t].ok() {
			continue
		}
		mops := h.at(int32(t))
		for i := range mops {
			m := &mops[i]
			if m.kind != read || h.all[m.version].initial {
				continue
			}
			h.intermediate(int32(t), m)
			if m.size <= 0 { // a register, or an odd list
				for _, id := range h.shown(m) {
					h.suspect(int32(t), m, id)
				}
				continue
			}
			s, ok := strangers[m.key]
			if !ok {
				continue
			}
			for _, places := range [][]int32{s.garbage, s.failed} {
				for _, place := range places {
					if place < m.size {
						h.suspect(int32(t), m, h.keys[m.key].raw[place])
					}
				}
			}
		}
	}
}

// shown returns the versions that a read shows.
func (h *history) shown(m *mop) []int32 {
	if h.isa == "append" {
		return h.list(m)
	}
	return []int32{m.version}
}

// suspect reports a version that a read shows if nobody wrote it, or only who failed.
func (h *history) suspect(t int32, m *mop, id int32) {
	w := h.all[id].writer
	switch {
	case w == none && h.isa != "append" && slices.ContainsFunc(h.Initial, h.value(id).Equal):
	case w == none:
		h.report("garbage-read", []int32{t}, func() string {
			return fmt.Sprintf("%s read %s from %s, and nobody ever wrote %v there", h.name(t), h.saw(m), h.keyName(m.key), h.value(id))
		})
	case !h.txns[w].possible():
		h.report("G1a", []int32{t, w}, func() string {
			return fmt.Sprintf("%s read %s from %s; %v is of %s, and that one failed", h.name(t), h.saw(m), h.keyName(m.key), h.value(id), h.name(w))
		})
	}
}

// intermediate reports a read that ends in what another transaction wrote and
// then wrote over, or on.
func (h *history) intermediate(t int32, m *mop) {
	w := h.all[m.version].writer
	if w == none || w == t || h.mops[h.all[m.version].write].external {
		return
	}
	for _, op := range h.writes(m.version)[1:] {
		if h.mops[op].external || h.owner(op) == t { // it may have been that one's
			return
		}
	}
	h.report("G1b", []int32{t, w}, func() string {
		return fmt.Sprintf("%s read %s from %s: %v is of %s, which wrote %s there once more after it",
			h.name(t), h.saw(m), h.keyName(m.key), h.value(m.version), h.name(w), h.final(w, m.key))
	})
}

// final returns what a transaction wrote to a key in the end.
func (h *history) final(t, key int32) string {
	for _, m := range h.at(t) {
		if m.kind == write && m.key == key && m.external {
			return h.value(m.version).String()
		}
	}
	return "something"
}

// dirtyUpdates reports lists in which a committed transaction's element comes
// after a failed one's: the failed one was built upon.
func (h *history) dirtyUpdates() {
	for k := range h.keys {
		failed, at := int32(none), int32(none)
		for _, id := range h.keys[k].raw {
			w := h.all[id].writer
			switch {
			case w == none:
			case !h.txns[w].possible():
				failed, at = w, id
			case h.txns[w].ok() && failed != none:
				from := failed
				h.report("dirty-update", []int32{from, w}, func() string {
					return fmt.Sprintf("%s appended %v to %s after %v, which is of %s, and that one failed",
						h.name(w), h.value(id), h.keyName(int32(k)), h.value(at), h.name(from))
				})
				failed = none
			}
		}
	}
}
