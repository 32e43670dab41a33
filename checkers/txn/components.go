package txn

// walk is how one may go through a graph: over edges of some kinds, and, if not
// twice in a row over rw, through states that tell whether the last step was one.
type walk struct {
	over   kind
	spaced bool // never rw after rw
}

func (w walk) states() int32 {
	if w.spaced {
		return 2
	}
	return 1
}

// step returns the state after an edge; ok is false if it may not be taken.
func (w walk) step(state int32, k kind) (next int32, ok bool) {
	switch {
	case k == pass:
		return state, true
	case k&w.over == 0:
		return 0, false
	case !w.spaced || k != rw:
		return 0, true
	}
	return 1, state == 0
}

// tarjan is Tarjan's search for strongly connected components (Depth-first
// search and linear graph algorithms, 1972), without recursion. Its vertices are
// those of the graph, or with two states each.
type tarjan struct {
	*graph
	walk
	index  []int32 // order of discovery, from 1
	low    []int32
	next   []int32 // of each vertex, the edge to follow next
	path   []int32 // vertices being explored
	open   []int32 // vertices whose component is not known yet
	of     []int32 // the number of each vertex's component, from 1
	found  int32
	number int32
}

// components returns the number of each vertex's component, from 1, with vertex
// v in state s at v*states+s. No vertex can be reached from one with a lower number.
func (g *graph) components(w walk) []int32 {
	n := g.size * w.states()
	t := tarjan{graph: g, walk: w, index: make([]int32, n), low: make([]int32, n), next: make([]int32, n), of: make([]int32, n)}
	for root := n - 1; root >= 0; root-- {
		if t.index[root] == 0 {
			t.explore(root)
		}
	}
	return t.of
}

func (t *tarjan) explore(root int32) {
	states := t.states()
	t.enter(root)
	for len(t.path) > 0 {
		v := t.path[len(t.path)-1]
		if at := t.next[v]; at < t.first[v/states+1] {
			t.next[v]++
			state, ok := t.step(v%states, t.kinds[at])
			if !ok {
				continue
			}
			switch to := t.to[at]*states + state; {
			case t.index[to] == 0:
				t.enter(to)
			case t.of[to] == 0:
				t.low[v] = min(t.low[v], t.index[to])
			}
			continue
		}
		t.path = t.path[:len(t.path)-1]
		if len(t.path) > 0 {
			u := t.path[len(t.path)-1]
			t.low[u] = min(t.low[u], t.low[v])
		}
		if t.low[v] == t.index[v] {
			t.close(v)
		}
	}
}

func (t *tarjan) enter(v int32) {
	t.found++
	t.index[v], t.low[v] = t.found, t.found
	t.next[v] = t.first[v/t.states()]
	t.path = append(t.path, v)
	t.open = append(t.open, v)
}

// close takes the component whose first vertex is v off the open vertices.
func (t *tarjan) close(v int32) {
	t.number++
	for last := int32(none); last != v; {
		last = t.open[len(t.open)-1]
		t.open = t.open[:len(t.open)-1]
		t.of[last] = t.number
	}
}

// circles returns the sets of two and more transactions that all lead to one
// another, each in order.
func (g *graph) circles() [][]int32 {
	of := g.components(walk{over: ^kind(0)})
	count := make([]int32, len(of)+1)
	for _, c := range of[:g.txns] {
		count[c]++
	}
	sets := make(map[int32][]int32)
	var order []int32
	for v, c := range of[:g.txns] {
		if count[c] < 2 {
			continue
		}
		if sets[c] == nil {
			order = append(order, c)
		}
		sets[c] = append(sets[c], int32(v))
	}
	all := make([][]int32, len(order))
	for i, c := range order {
		all[i] = sets[c]
	}
	return all
}
