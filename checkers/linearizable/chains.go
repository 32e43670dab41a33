package linearizable

// entry is all that a register's exact check knows of one value. Places are
// indexes into the register's calls; none for what there is not.
type entry struct {
	writer   int32 // the one call that may have written it
	writers  int32 // how many may have
	lastRead int32 // of the reads that saw it, the one invoked last
	soonRead int32 // and the one completed first
	next     int32 // the value that a successful cas put in its place
	needed   bool  // it certainly was there: acknowledged, seen, or taken by a needed cas
	placed   bool  // its chain has been walked
}

const none = -1

// answer is what a check of one register comes to.
type answer uint8

const (
	undecided answer = iota
	legal
	illegal
)

// witness is what shows that a register is legal: chains, which can be put in
// the order of their zones.
type witness struct {
	entries []entry
	chains  []chain
}

// exact decides registers with unique written values, in time linear in the
// calls. It is undecided if a value was written twice. Refusals are left out:
// with them, legal means no more than that the rest is.
//
// A value with the calls that saw it, and the values that compare-and-set put in
// its place one after another, form a chain: in any order of the calls it is
// contiguous, since a value never comes back. Chain A must precede chain B if
// some call of A ended before some call of B began, that is if the first end in
// A lies before the last beginning in B. An order exists if and only if each
// chain is in order within and no two chains must precede each other.
func (r *register) exact() (answer, *witness, *violation) {
	entries, unique := r.entries()
	if !unique {
		return undecided, nil, nil
	}
	if v := r.need(entries); v != nil {
		return illegal, nil, v
	}
	chains, v := r.chains(entries)
	if v != nil {
		return illegal, nil, v
	}
	if v := r.zones(entries, chains); v != nil {
		return illegal, nil, v
	}
	return legal, &witness{entries, chains}, nil
}

// entries gathers, for each value, who wrote it and who saw it.
func (r *register) entries() (entries []entry, unique bool) {
	entries = make([]entry, r.vals.len())
	for i := range entries {
		entries[i] = entry{writer: none, lastRead: none, soonRead: none, next: none}
	}
	entries[0].writers, entries[0].needed = 1, true
	unique = true
	for i := range r.calls {
		c := &r.calls[i]
		e := &entries[c.value]
		switch c.kind {
		case read:
			e.needed = true
			if e.lastRead == none || c.begin > r.calls[e.lastRead].begin {
				e.lastRead = int32(i)
			}
			if e.soonRead == none || c.end < r.calls[e.soonRead].end {
				e.soonRead = int32(i)
			}
		case write, cas:
			e.writer = int32(i)
			e.needed = e.needed || c.known
			e.writers++
			unique = unique && e.writers == 1
		}
	}
	return entries, unique
}

// need follows every needed cas back to the value that it took, which then is
// needed too, and links the two. What is not needed need not have happened.
func (r *register) need(entries []entry) *violation {
	work := make([]int32, 0, len(entries))
	for v := range entries {
		if entries[v].needed {
			work = append(work, int32(v))
		}
	}
	for len(work) > 0 {
		v := work[len(work)-1]
		work = work[:len(work)-1]
		e := &entries[v]
		if e.writers == 0 {
			return r.unwritten(entries, v)
		}
		if e.writer == none || r.calls[e.writer].kind != cas {
			continue
		}
		from := &entries[r.calls[e.writer].old]
		if from.next != none {
			return r.takenTwice(entries, from.next, v)
		}
		from.next = v
		if !from.needed {
			from.needed = true
			work = append(work, r.calls[e.writer].old)
		}
	}
	return nil
}

// chain is values that follow one another, each but the first by a cas. firstEnd
// is the call that ended first, or none if that is the initial state, and
// lastBegin the call that began last.
type chain struct {
	from, to            int32
	firstEnd, lastBegin int32
	end, begin          int32 // theirs
}

// forward tells whether all calls of the chain must be at one time between its
// first end and its last beginning; if not, they all ran at one time.
func (c *chain) forward() bool { return c.end < c.begin }

func (c *chain) left() int32  { return min(c.end, c.begin) }
func (c *chain) right() int32 { return max(c.end, c.begin) }

// chains walks along each chain and finds it in order, or not.
func (r *register) chains(entries []entry) ([]chain, *violation) {
	n := 0
	for v := range entries {
		if entries[v].needed {
			n++
		}
	}
	chains := make([]chain, 0, n)
	for v := range entries {
		e := &entries[v]
		if !e.needed || e.writer != none && r.calls[e.writer].kind == cas {
			continue
		}
		c, bad := r.walk(entries, int32(v))
		if bad != nil {
			return nil, bad
		}
		chains = append(chains, c)
	}
	for v := range entries {
		if e := &entries[v]; e.needed && !e.placed {
			return nil, r.circle(entries, int32(v))
		}
	}
	return chains, nil
}

// before the first op
const beginning = -1

// walk goes along the chain that begins with value v: its writer, its readers,
// the cas that took it, that one's readers, and so on. No call may have ended
// before one that comes earlier began.
func (r *register) walk(entries []entry, v int32) (chain, *violation) {
	c := chain{from: v, firstEnd: none, lastBegin: none, end: never, begin: beginning}
	if v == 0 {
		c.end = beginning
	}
	for ; v != none; v = entries[v].next {
		e := &entries[v]
		e.placed = true
		c.to = v
		for _, step := range [...]struct{ ends, begins int32 }{{e.writer, e.writer}, {e.soonRead, e.lastRead}} {
			if step.ends == none {
				continue
			}
			end, begin := r.calls[step.ends].end, r.calls[step.begins].begin
			if end < c.begin {
				return c, r.disorder(entries, step.ends, c.lastBegin)
			}
			if end < c.end {
				c.end, c.firstEnd = end, step.ends
			}
			if begin > c.begin {
				c.begin, c.lastBegin = begin, step.begins
			}
		}
	}
	return c, nil
}
