package txn

import (
	"cmp"
	"slices"
)

// entry is an edge by which a circle may begin: from a transaction to another
// or to a vertex that passes on.
type entry struct{ from, to int32 }

// returns tells exactly from which edges of a kind, which the walk has none of,
// there is a way back, for up to 64 at a time in one pass over the components in
// order: what many searches for a path would take too long for, if there is none.
// It calls try with the ends of such edges until that returns true.
func (s *search) returns(first kind, stop func() bool, try func(a, b int32) bool) {
	all := s.entries(first)
	order := s.byComponent()
	bits := make([]uint64, len(order)+1)
	for batch := range slices.Chunk(all, 64) {
		for _, e := range s.sweep(batch, order, bits) {
			for _, b := range s.targets([]int32{e.to}) {
				if b != e.from && s.hopeful(e.from, b, first, false) && try(e.from, b) {
					return
				}
			}
		}
		if stop() {
			return
		}
	}
}

// entries returns the edges that may have a way back, from the component that
// comes first. An edge to a vertex that would pass on to where it began is
// taken apart.
func (s *search) entries(first kind) []entry {
	var all []entry
	for a := range s.graph.txns {
		for at := s.first[a]; at < s.first[a+1]; at++ {
			to := s.to[at]
			if s.kinds[at]&first == 0 || s.of[to] < s.of[a] {
				continue
			}
			targets := s.targets(s.to[at : at+1])
			if !slices.Contains(targets, a) {
				all = append(all, entry{a, to})
				continue
			}
			for _, b := range targets {
				if b != a && s.of[b] >= s.of[a] {
					all = append(all, entry{a, b})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(s.of[b.to], s.of[a.to]) })
	return all
}

// byComponent returns the vertices of each component; the first is empty, as
// components are numbered from 1.
func (s *search) byComponent() [][]int32 {
	most := int32(0)
	for _, c := range s.of {
		most = max(most, c)
	}
	order := make([][]int32, most+1)
	for v, c := range s.of {
		order[c] = append(order[c], int32(v))
	}
	return order
}

// sweep lets a bit for each entry flow along the edges, and returns the entries
// whose bit comes back to where they began.
func (s *search) sweep(batch []entry, order [][]int32, bits []uint64) []entry {
	high, low := int32(0), int32(len(order))
	for i, e := range batch {
		bits[s.of[e.to]] |= 1 << i
		high, low = max(high, s.of[e.to]), min(low, s.of[e.from])
	}
	for c := high; c >= low; c-- {
		if bits[c] == 0 {
			continue
		}
		for _, v := range order[c] {
			for at := s.first[v]; at < s.first[v+1]; at++ {
				if _, ok := s.step(0, s.kinds[at]); ok {
					bits[s.of[s.to[at]]] |= bits[c]
				}
			}
		}
	}
	var some []entry
	for i, e := range batch {
		if bits[s.of[e.from]]>>i&1 != 0 {
			some = append(some, e)
		}
	}
	clear(bits[:high+1])
	return some
}
