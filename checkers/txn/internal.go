package txn

import (
	"fmt"
	"slices"
)

// scanner goes through one transaction after the other and knows, of each
// micro-op, the one before it on the same key.
type scanner struct {
	*history
	seen []int32 // by key, in which transaction last, from 1
	last []int32 // by key, the last micro-op there
	prev []int32 // by micro-op of the transaction
}

func (h *history) scanner() *scanner {
	return &scanner{history: h, seen: make([]int32, len(h.keys)), last: make([]int32, len(h.keys))}
}

func (s *scanner) scan(t int32) []mop {
	mops := s.at(t)
	s.prev = s.prev[:0]
	for i := range mops {
		k := mops[i].key
		if s.seen[k] != t+1 {
			s.seen[k], s.last[k] = t+1, none
		}
		s.prev = append(s.prev, s.last[k])
		s.last[k] = int32(i)
	}
	return mops
}

// internal reports committed transactions whose reads disagree with what they
// themselves read or wrote before, and those that read what they appended only
// later (future-read): the first such read of each.
func (h *history) internal() {
	s := h.scanner()
	for t := range h.txns {
		if !h.txns[t].ok() || h.txns[t].last-h.txns[t].first < 2 {
			continue
		}
		mops := s.scan(int32(t))
		for i := range mops {
			if mops[i].kind == read && s.prev[i] != none && s.surprise(int32(t), mops, i) {
				break
			}
		}
		if h.isa == "append" {
			s.future(int32(t), mops)
		}
	}
}

// surprise reports a read that disagrees with the micro-ops before it.
func (s *scanner) surprise(t int32, mops []mop, i int) bool {
	m, prev := &mops[i], &mops[s.prev[i]]
	var must string
	switch {
	case s.isa != "append":
		if m.version == prev.version {
			return false
		}
		must = "must be " + s.value(prev.version).String()
	default:
		var base *mop
		var own []int32
		for at := s.prev[i]; at != none; at = s.prev[at] {
			if mops[at].kind == read {
				base = &mops[at]
				break
			}
			own = append(own, mops[at].version)
		}
		slices.Reverse(own)
		if s.fits(m, base, own) {
			return false
		}
		must = "must end in " + short(s.values(own))
		if base != nil {
			must = "must be " + short(s.values(slices.Concat(s.list(base), own)))
		}
	}
	s.report("internal", []int32{t}, func() string {
		return fmt.Sprintf("%s read %s from %s, which %s by its own earlier micro-ops", s.name(t), s.saw(m), s.keyName(m.key), must)
	})
	return true
}

// fits tells whether a read list is what an earlier one, if any, and the elements
// appended since make it.
func (s *scanner) fits(m, base *mop, own []int32) bool {
	list := s.list(m)
	rest := len(list) - len(own)
	if rest < 0 || !slices.Equal(list[rest:], own) {
		return false
	}
	return base == nil || slices.Equal(list[:rest], s.list(base))
}

// future reports a transaction that read what it appended only later.
func (s *scanner) future(t int32, mops []mop) {
	for i := range mops {
		if mops[i].kind != write {
			continue
		}
		for at := s.prev[i]; at != none; at = s.prev[at] {
			if m := &mops[at]; m.kind == read && s.contains(m, mops[i].version) {
				s.report("future-read", []int32{t}, func() string {
					return fmt.Sprintf("%s read %s from %s and appended %v only after that", s.name(t), s.saw(m), s.keyName(m.key), s.value(mops[i].version))
				})
				return
			}
		}
	}
}

func (h *history) contains(m *mop, id int32) bool {
	if m.size < 0 {
		return slices.Contains(h.list(m), id)
	}
	return h.all[id].place != none && h.all[id].place < m.size
}
