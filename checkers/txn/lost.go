package txn

import (
	"fmt"
	"slices"
)

// based are the reads that writes are based on, by what they saw: the first read
// of a key by a committed transaction that wrote the key after it.
type based struct {
	*history
	first   []int32          // by version, the first such read, as a micro-op from 1
	lists   map[string]int32 // lists that are no beginnings, by content, count as versions of their own
	several map[int32][]int32
	order   []int32 // the keys of several, as they were found
}

// lostUpdates reports committed transactions that read the same version of a key
// and then all wrote it: each but one did so in ignorance of another.
func (h *history) lostUpdates() {
	b := based{history: h, first: make([]int32, len(h.all)), lists: make(map[string]int32), several: make(map[int32][]int32)}
	seen := make([]int32, len(h.keys)) // in which transaction last, from 1
	saw := make([]int32, len(h.keys))  // its first read of the key; none if there is none, or it is taken
	for t := range h.txns {
		if !h.txns[t].ok() {
			continue
		}
		for i := h.txns[t].first; i < h.txns[t].last; i++ {
			m := &h.mops[i]
			isRead := m.kind == read
			if seen[m.key] != int32(t+1) {
				if !isRead {
					continue
				}
				seen[m.key], saw[m.key] = int32(t+1), i
			} else if !isRead && saw[m.key] != none {
				b.add(saw[m.key])
				saw[m.key] = none
			}
		}
	}
	for _, id := range b.order {
		b.reportGroup(b.several[id])
	}
}

func (b *based) add(op int32) {
	id := b.identity(&b.mops[op])
	switch group, ok := b.several[id]; {
	case ok:
		b.several[id] = append(group, op)
	case b.first[id] == 0:
		b.first[id] = op + 1
	default:
		b.several[id] = []int32{b.first[id] - 1, op}
		b.order = append(b.order, id)
	}
}

// identity returns a number for what a read saw: the version, unless a list is
// more than its last element tells.
func (b *based) identity(m *mop) int32 {
	if m.size == 0 || m.size > 0 && m.size <= b.keys[m.key].dup {
		return m.version
	}
	form := fmt.Sprint(m.key, b.list(m))
	id, ok := b.lists[form]
	if !ok {
		id = int32(len(b.first))
		b.first = append(b.first, 0)
		b.lists[form] = id
	}
	return id
}

func (b *based) reportGroup(group []int32) {
	txns := make([]int32, len(group))
	for i, op := range group {
		txns[i] = b.owner(op)
	}
	b.report("lost-update", txns, func() string {
		var who []string
		for _, t := range txns {
			who = append(who, b.name(t))
		}
		m := &b.mops[group[0]]
		return fmt.Sprintf("%s all read %s from %s and then wrote to it: each but one in ignorance of another", enumerate(who), b.saw(m), b.keyName(m.key))
	})
}

// enumerate joins names, the first few: "a, b and c".
func enumerate(list []string) string {
	const most = 8
	if more := len(list) - most; more > 0 {
		list = append(slices.Clip(list[:most]), fmt.Sprintf("%d more", more))
	}
	s := list[0]
	for i, e := range list[1:] {
		sep := ", "
		if i == len(list)-2 {
			sep = " and "
		}
		s += sep + e
	}
	return s
}
