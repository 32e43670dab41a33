package txn

import (
	"cmp"
	"fmt"
	"slices"
)

// reading is a read of a list by a transaction.
type reading struct {
	txn int32
	m   *mop
}

// duplicates reports lists that have an element twice.
func (h *history) duplicates() {
	for t := range h.txns {
		mops := h.at(int32(t))
		for i := range mops {
			m := &mops[i]
			if m.kind != read || m.size >= 0 && m.size <= h.keys[m.key].dup {
				continue
			}
			id := repeated(h.list(m))
			if id == none {
				continue
			}
			h.report("duplicate-elements", []int32{int32(t)}, func() string {
				return fmt.Sprintf("%s read %s from %s, with %v more than once, and it was appended once at the most",
					h.name(int32(t)), h.saw(m), h.keyName(m.key), h.value(id))
			})
		}
	}
}

// repeated returns the first element of a list that was there before; none if there is none.
func repeated(list []int32) int32 {
	seen := make(map[int32]bool, len(list))
	for _, id := range list {
		if seen[id] {
			return id
		}
		seen[id] = true
	}
	return none
}

// incompatible reports keys whose reads agree on no order: of each the first two,
// by length, of which the shorter is not the beginning of the longer.
func (h *history) incompatible() {
	readings := make(map[int32][]reading)
	for t := range h.txns {
		mops := h.at(int32(t))
		for i := range mops {
			if m := &mops[i]; m.kind == read && m.size != 0 && h.keys[m.key].isOdd {
				readings[m.key] = append(readings[m.key], reading{int32(t), m})
			}
		}
	}
	for k := range h.keys {
		if list := readings[int32(k)]; list != nil {
			h.incompatibleKey(int32(k), list)
		}
	}
}

func (h *history) incompatibleKey(k int32, all []reading) {
	slices.SortStableFunc(all, func(a, b reading) int { return cmp.Compare(len(h.list(a.m)), len(h.list(b.m))) })
	for i := range all[1:] {
		a, b := all[i], all[i+1]
		short, long := h.list(a.m), h.list(b.m)
		if slices.Equal(short, long[:len(short)]) {
			continue
		}
		h.report("incompatible-order", []int32{a.txn, b.txn}, func() string {
			return fmt.Sprintf("%s read %s from %s and %s read %s: neither is the beginning of the other",
				h.name(a.txn), h.saw(a.m), h.keyName(k), h.name(b.txn), h.saw(b.m))
		})
		return
	}
}
