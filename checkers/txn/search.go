package txn

import "slices"

// step is an edge between two transactions, be it direct or through vertices
// that are none; a circle is steps, each from where the one before it led.
type step struct {
	from, to int32
	kind     kind
}

type circle []step

// search looks for circles that begin with an edge of some kinds and go on by a walk.
type search struct {
	*graph
	walk
	of     []int32 // components of the walk
	number int32   // of the path that is looked for
	visit  []int32 // of each vertex and state, when it was last come by
	parent []int32 // from where
	by     []kind  // over what
	hubs   [2][]int32
	txns   [2][]int32 // to go on from, in this round and in the next
	edges  int        // looked at
}

func newSearch(g *graph, w walk) *search {
	n := g.size * w.states()
	return &search{graph: g, walk: w, of: g.components(w), visit: make([]int32, n), parent: make([]int32, n), by: make([]kind, n)}
}

// quest is what a search is after.
type quest struct {
	first  kind                // of the first edge
	closed bool                // only first edges within a component of the walk: each of these is in a circle
	most   int                 // edges to look at: more only to find the first circle
	until  int                 // edges to look at before giving up
	accept func(c circle) bool // may refuse
	stop   func() bool
}

// shortestCircle returns the shortest circle of edges of one kind in a component.
func shortestCircle(g *graph, k kind) circle {
	s := newSearch(g, walk{over: k})
	return s.shortest(quest{
		first: k, closed: true, most: 10_000_000, until: int(^uint(0) >> 1),
		accept: func(circle) bool { return true }, stop: func() bool { return false },
	})
}

// shortest returns the shortest circle found that is accepted.
func (s *search) shortest(q quest) circle {
	var best circle
	try := func(a, b int32, k kind) {
		bound := int32(len(best) - 2) // steps from b to a, to be shorter
		if best == nil {
			bound = s.size * s.states()
		}
		path := s.path(a, b, k, bound)
		if path == nil {
			return
		}
		if c := append(circle{{a, b, k}}, path...); q.accept(c) {
			best = c
		}
	}
	for a := range s.graph.txns {
		for at := s.first[a]; at < s.first[a+1]; at++ {
			k := s.kinds[at]
			if k&q.first == 0 {
				continue
			}
			for _, b := range s.targets(s.to[at : at+1]) {
				if b == a || !s.hopeful(a, b, k, q.closed) {
					continue
				}
				if len(best) == 2 || s.edges > q.until || best != nil && s.edges > q.most || q.stop() {
					return best
				}
				try(a, b, k)
			}
		}
	}
	return best
}

// targets returns the transactions that an edge to a vertex leads to. Only real
// time passes on from one such vertex to another, and no circle begins with it.
func (s *search) targets(to []int32) []int32 {
	if to[0] < s.graph.txns {
		return to
	}
	return s.to[s.first[to[0]]:s.first[to[0]+1]]
}

// hopeful tells whether there may be a way back from b to a after an edge of a kind.
func (s *search) hopeful(a, b int32, k kind, closed bool) bool {
	home, start := s.of[s.home(a)], s.of[s.start(b, k)]
	return start == home || start > home && !closed
}

// home and start are where the way back ends and begins. If rw must not follow
// rw, the last step must not be one, as the first is.
func (s *search) home(a int32) int32 { return a * s.states() }

func (s *search) start(b int32, k kind) int32 {
	if s.spaced && k == rw {
		return b*2 + 1
	}
	return b * s.states()
}

// path returns the fewest steps from b to a, at most bound, after an edge of a
// kind from a to b; nil if there are none.
func (s *search) path(a, b int32, k kind, bound int32) circle {
	home, start := s.home(a), s.start(b, k)
	s.number++
	s.visit[start] = s.number
	s.hubs[0], s.txns[0] = s.hubs[0][:0], append(s.txns[0][:0], start)
	for range bound {
		s.hubs[1], s.txns[1] = s.hubs[1][:0], s.txns[1][:0]
		for _, v := range s.txns[0] {
			s.leave(v, home)
		}
		for i := 0; i < len(s.hubs[1]); i++ { // they pass on within the same round
			s.leave(s.hubs[1][i], home)
		}
		if s.visit[home] == s.number {
			return s.back(start, home)
		}
		if len(s.txns[1]) == 0 {
			return nil
		}
		s.txns[0], s.txns[1] = s.txns[1], s.txns[0]
	}
	return nil
}

// leave comes by all vertices next to one, but those that cannot lead home.
func (s *search) leave(v, home int32) {
	states := s.states()
	from, to := s.first[v/states], s.first[v/states+1]
	s.edges += int(to - from)
	for at := from; at < to; at++ {
		state, ok := s.step(v%states, s.kinds[at])
		if !ok {
			continue
		}
		w := s.to[at]*states + state
		if s.visit[w] == s.number || s.of[w] < s.of[home] {
			continue
		}
		s.visit[w], s.parent[w], s.by[w] = s.number, v, s.kinds[at]
		if s.to[at] < s.graph.txns {
			s.txns[1] = append(s.txns[1], w)
		} else {
			s.hubs[1] = append(s.hubs[1], w)
		}
	}
}

// back returns the steps by which home was reached.
func (s *search) back(start, home int32) circle {
	states := s.states()
	var c circle
	for w := home; w != start; {
		k, v := s.by[w], s.parent[w]
		for v/states >= s.graph.txns {
			k, v = s.by[v], s.parent[v]
		}
		c = append(c, step{v / states, w / states, k})
		w = v
	}
	slices.Reverse(c)
	return c
}
