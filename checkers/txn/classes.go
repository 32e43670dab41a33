package txn

import "slices"

// class is a kind of cycle to look for: an edge of the first kind, closed by a
// path over the others.
type class struct {
	name   string
	first  kind
	walk   walk
	single bool // the path has no edge of the first kind
}

// classes are in Elle's order: what implies others comes before them.
var classes = []class{
	{"G-single-item", rw, walk{ww | wr, false}, true},
	{"G0", ww, walk{ww, false}, false},
	{"G-nonadjacent-item", rw, walk{ww | wr | rw, true}, false},
	{"G-single-item-process", rw, walk{ww | wr | process, false}, true},
	{"G1c", wr, walk{ww | wr, false}, false},
	{"G-nonadjacent-item-process", rw, walk{ww | wr | rw | process, true}, false},
	{"G-single-item-realtime", rw, walk{ww | wr | process | realtime, false}, true},
	{"G2-item", rw, walk{ww | wr | rw, false}, false},
	{"G-nonadjacent-item-realtime", rw, walk{ww | wr | rw | process | realtime, true}, false},
	{"G0-process", ww, walk{ww | process, false}, false},
	{"G1c-process", wr, walk{ww | wr | process, false}, false},
	{"G2-item-process", rw, walk{ww | wr | rw | process, false}, false},
	{"G0-realtime", ww, walk{ww | process | realtime, false}, false},
	{"G1c-realtime", wr, walk{ww | wr | process | realtime, false}, false},
	{"G2-item-realtime", rw, walk{ww | wr | rw | process | realtime, false}, false},
}

// Bounds of a search for one class in one set of transactions, in edges looked
// at. Beyond the first it no longer looks for a shorter cycle than it has; beyond
// the second a search for the one rw of a G-single gives way to an exact pass
// over all at once.
const (
	edgesForShorter = 3_000_000
	edgesForFirst   = 10_000_000
)

// hunt looks for the cycles of one set of transactions that all lead to each other.
type hunt struct {
	*history
	members []int32
	part    *graph
	found   names // what is found, and what that implies
	stop    func() bool
}

// cycles reports, for each set of transactions that all lead to each other, the
// shortest cycle found of each class that no other class found there implies.
func (h *history) cycles(g *graph, stop func() bool) {
	p := parts{history: h, whole: g, place: make([]int32, g.size)}
	for _, members := range g.circles() {
		if stop() {
			return
		}
		u := hunt{history: h, members: members, part: p.part(members), found: make(names), stop: stop}
		for _, c := range classes {
			if c.walk.over&process != 0 && !h.process && !h.realtime || c.walk.over&realtime != 0 && !h.realtime {
				continue
			}
			if c.walk.over&realtime == 0 && c.walk.over&process != 0 && !h.process || u.found[c.name] {
				continue
			}
			if best := u.look(c); best != nil {
				u.reportCycle(best)
			}
		}
	}
}

// look returns the shortest cycle of a class that it finds; nil if there is none.
func (u *hunt) look(c class) circle {
	s := newSearch(u.part, c.walk)
	q := quest{first: c.first, closed: !c.single, most: edgesForShorter, until: u.patience, stop: u.stop}
	// Another name would mean a stronger reason for some step, and another class.
	q.accept = func(found circle) bool { return u.strongest(found, c) == c.name }
	if !c.single {
		q.until = int(^uint(0) >> 1)
		return s.shortest(q)
	}
	best := s.shortest(q)
	if best != nil || s.edges <= q.until {
		return best
	}
	s.returns(c.first, u.stop, func(a, b int32) bool {
		if path := s.path(a, b, c.first, s.size); path != nil {
			if found := append(circle{{a, b, c.first}}, path...); q.accept(found) {
				best = found
			}
		}
		return best != nil
	})
	return best
}

// strongest gives each step of a circle of members the strongest kind that holds
// for it, of those that the class goes by, which the history itself is asked for.
// It returns what Adya calls the cycle; "" if it is none: it comes by a transaction
// twice, or a step is not so.
func (u *hunt) strongest(c circle, class class) string {
	seen := make(map[int32]bool, len(c))
	for i := range c {
		if seen[c[i].from] {
			return ""
		}
		seen[c[i].from] = true
		over := c[i].kind | class.walk.over&(ww|wr)
		if c[i].kind == realtime {
			over |= class.walk.over & process
		}
		at := slices.IndexFunc(kindsInOrder, func(k kind) bool {
			if k&over == 0 {
				return false
			}
			_, ok := u.proof(u.members[c[i].from], u.members[c[i].to], k)
			return ok
		})
		if at < 0 {
			return ""
		}
		c[i].kind = kindsInOrder[at]
	}
	return c.name()
}

var kindsInOrder = []kind{ww, wr, rw, process, realtime}

// name returns what Adya calls the cycle: by how many anti-dependencies (rw) it
// has and whether two follow each other, and with a suffix if it needs the order
// of a process or of real time.
func (c circle) name() string {
	has := make(map[kind]int)
	adjacent := false
	for i, s := range c {
		has[s.kind]++
		adjacent = adjacent || s.kind == rw && c[(i+1)%len(c)].kind == rw
	}
	name := "G2-item"
	switch {
	case has[rw] == 1:
		name = "G-single-item"
	case has[rw] > 1 && !adjacent:
		name = "G-nonadjacent-item"
	case has[rw] == 0 && has[wr] > 0:
		name = "G1c"
	case has[rw] == 0:
		name = "G0"
	}
	switch {
	case has[realtime] > 0:
		return name + "-realtime"
	case has[process] > 0:
		return name + "-process"
	}
	return name
}

// parts cuts sets of transactions out of a graph.
type parts struct {
	*history
	whole *graph
	place []int32 // of each vertex, its number in the part, from 1
}

// part returns the graph between some transactions, by their places.
func (p *parts) part(members []int32) *graph {
	d := newDraft(len(members), 4*len(members))
	for i, v := range members {
		p.place[v] = int32(i + 1)
	}
	g := p.whole
	var hubs []int32
	for i, v := range members {
		for at := g.first[v]; at < g.first[v+1]; at++ {
			to, k := g.to[at], g.kinds[at]
			if k == realtime { // made anew
				continue
			}
			if to >= g.txns && p.place[to] == 0 {
				p.place[to] = d.vertex() + 1
				hubs = append(hubs, to)
			}
			if p.place[to] != 0 {
				d.add(int32(i), p.place[to]-1, k)
			}
		}
	}
	for _, hub := range hubs {
		for at := g.first[hub]; at < g.first[hub+1]; at++ {
			if to := p.place[g.to[at]]; to != 0 {
				d.add(p.place[hub]-1, to-1, pass)
			}
		}
	}
	if p.realtime {
		p.addRealtime(d, members)
	}
	for _, list := range [][]int32{members, hubs} {
		for _, v := range list {
			p.place[v] = 0
		}
	}
	return d.finish()
}
