package checkers

import (
	"cmp"
	"context"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const setDoc = `what is added to the set stays there, and nothing else

For a set that only grows, with reads of the whole set at any time:

  lost             an element that was known to be there, since its add had been
                   acknowledged or a read had seen it, is missing from reads, and
                   no read that was still running when those began, or came later, has it
  stale            such an element is missing from a read, and another read,
                   running at that time or later, has it
  phantom          a read has an element that nobody had tried to add, or
                   whose every add failed
  duplicate        a read has an element more often than it was added
  nonlinearizable  none of these, and yet no order of the calls explains the
                   reads: two reads each lack an element of the other, or an
                   element is missing that was added before another that is there

If elements are unique and none of these is found, the history is linearizable.
An element that was never read after its add had been acknowledged proves
nothing: have a final read.

Source: Jepsen's set and set-full checkers; the order of reads by inclusion
decides linearizability in time linear in what was read.`

// Set returns the checker of a set that only grows: add and read.
func Set() *fallacy.Checker {
	return &fallacy.Checker{Name: "set", Doc: setDoc, Check: checkSet}
}

// element is all that is known of one element.
type element struct {
	value    fallacy.Value
	add      fallacy.Call // the first that did not fail, or else the first
	tries    int          // adds that did not fail
	begun    int          // the earliest invocation of those
	ended    int          // when the last of those had certainly taken effect
	acked    fallacy.Call // the add that was first acknowledged
	seen     fallacy.Call // the read that first showed it
	lastSeen int          // the latest completion of a read that shows it
	missing  fallacy.Call // the first read, by invocation, that lacks it although it was known to be there
	lacked   fallacy.Call // the last such read
}

// known returns since when the element certainly is in the set.
func (e *element) known() int {
	since := never
	for _, c := range []fallacy.Call{e.acked, e.seen} {
		if c.Invoke != nil {
			since = min(since, c.Complete.Index)
		}
	}
	return since
}

// lackedBy notes a read that should have shown the element. Reads come by invocation.
func (e *element) lackedBy(read fallacy.Call) {
	if e.missing.Invoke == nil {
		e.missing = read
	}
	e.lacked = read
}

// setRead is a read with the places of its elements, in order and without repetition.
type setRead struct {
	fallacy.Call
	elements []int32
}

// setHistory is a history of one set.
type setHistory struct {
	ints     map[int]int32 // places of elements, of ints apart, which is faster
	others   map[fallacy.Ident]int32
	elements []element
	reads    []setRead
	adds     int
	found    evidence
}

func checkSet(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	s := setHistory{ints: make(map[int]int32), others: make(map[fallacy.Ident]int32)}
	var reads []fallacy.Call
	for c := range h.Calls() {
		switch c.Invoke.F {
		case "add":
			s.add(c)
		case "read":
			reads = append(reads, c)
		default:
			return fallacy.Finding{}, unexpected(c, "add or read")
		}
	}
	for _, c := range reads {
		if c.Type() != fallacy.OK {
			continue
		}
		if err := s.read(c); err != nil {
			return fallacy.Finding{}, err
		}
		if err := ctx.Err(); err != nil {
			return fallacy.Finding{}, err
		}
	}
	s.reportPhantoms()
	s.findMissing()
	s.reportMissing()
	if len(s.found.anomalies) == 0 {
		s.checkOrder()
	}
	details := map[string]any{"adds": s.adds, "reads": len(s.reads), "elements": len(s.elements), "anomalies": s.found.totals}
	finding := s.found.finding(s.adds+len(reads), details)
	if finding.Verdict == fallacy.Valid && len(s.reads) == 0 {
		finding.Verdict, finding.Reason = fallacy.Unknown, "no read of the set succeeded"
	}
	return finding, ctx.Err()
}

func (s *setHistory) place(v fallacy.Value) int32 {
	n, isInt := v.Int()
	var id fallacy.Ident
	at, ok := s.ints[n]
	if !isInt {
		id = v.Ident()
		at, ok = s.others[id]
	}
	if ok {
		return at
	}
	at = int32(len(s.elements))
	if isInt {
		s.ints[n] = at
	} else {
		s.others[id] = at
	}
	s.elements = append(s.elements, element{value: v, begun: never, lastSeen: -1})
	return at
}

func (s *setHistory) add(c fallacy.Call) {
	s.adds++
	e := &s.elements[s.place(c.Invoke.Value)]
	if c.Type() == fallacy.Fail {
		if e.add.Invoke == nil {
			e.add = c
		}
		return
	}
	if e.tries == 0 {
		e.add = c
	}
	e.tries++
	e.begun = min(e.begun, c.Invoke.Index)
	e.ended = max(e.ended, endOf(c))
	if c.Type() == fallacy.OK && (e.acked.Invoke == nil || c.Complete.Index < e.acked.Complete.Index) {
		e.acked = c
	}
}

// read takes in a read that was answered ok, and reports duplicates.
func (s *setHistory) read(c fallacy.Call) error {
	values, ok := c.Value().List()
	if !ok && !c.Value().IsNil() {
		return unexpected(c, "a list of elements")
	}
	r := setRead{Call: c, elements: make([]int32, len(values))}
	for i, v := range values {
		r.elements[i] = s.place(v)
	}
	slices.Sort(r.elements)
	s.reportDuplicates(r)
	r.elements = slices.Compact(r.elements)
	for _, at := range r.elements {
		e := &s.elements[at]
		e.lastSeen = max(e.lastSeen, c.Complete.Index)
		if e.seen.Invoke == nil || c.Complete.Index < e.seen.Complete.Index {
			e.seen = c
		}
	}
	s.reads = append(s.reads, r)
	return nil
}

func (s *setHistory) reportDuplicates(r setRead) {
	for i := 0; i < len(r.elements); {
		j := i + 1
		for j < len(r.elements) && r.elements[j] == r.elements[i] {
			j++
		}
		if e := s.elements[r.elements[i]]; j-i > max(1, e.tries) {
			s.found.add("duplicate", []fallacy.Call{e.add, r.Call},
				"process %d read %v %d times (op %d), and %d adds of it were tried",
				r.Invoke.Process, e.value, j-i, opOf(r.Call), e.tries)
		}
		i = j
	}
}

// reportPhantoms reports elements that were seen before anybody tried to add them.
func (s *setHistory) reportPhantoms() {
	for i := range s.elements {
		e := &s.elements[i]
		switch {
		case e.seen.Invoke == nil || e.begun < e.seen.Complete.Index:
		case e.add.Invoke == nil:
			s.found.add("phantom", []fallacy.Call{e.seen}, "process %d read %v (op %d), which nobody ever added",
				e.seen.Invoke.Process, e.value, opOf(e.seen))
		case e.tries == 0:
			s.found.add("phantom", []fallacy.Call{e.add, e.seen}, "process %d read %v (op %d), although process %d's add of it had failed (op %d)",
				e.seen.Invoke.Process, e.value, opOf(e.seen), e.add.Invoke.Process, opOf(e.add))
		default:
			s.found.add("phantom", []fallacy.Call{e.add, e.seen}, "process %d read %v (op %d) before process %d invoked the add of it (op %d)",
				e.seen.Invoke.Process, e.value, opOf(e.seen), e.add.Invoke.Process, e.add.Invoke.Index)
		}
	}
}

// findMissing notes for each element the reads that should have shown it. The
// reads come by invocation.
func (s *setHistory) findMissing() {
	order := make([]int32, 0, len(s.elements)) // by when they were known to be there
	since := make([]int, len(s.elements))
	for i := range s.elements {
		since[i] = s.elements[i].known()
		if since[i] != never {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(since[a], since[b]) })
	due := 0
	for _, r := range s.reads {
		for due < len(order) && since[order[due]] < r.Invoke.Index {
			due++
		}
		present := 0
		for _, at := range r.elements {
			if since[at] < r.Invoke.Index {
				present++
			}
		}
		if present == due {
			continue
		}
		for _, at := range order[:due] {
			if _, ok := slices.BinarySearch(r.elements, at); !ok {
				s.elements[at].lackedBy(r.Call)
			}
		}
	}
}

func (s *setHistory) reportMissing() {
	for i := range s.elements {
		e := &s.elements[i]
		if e.missing.Invoke == nil {
			continue
		}
		proof, how := e.acked, "had been acknowledged to"
		if e.acked.Invoke == nil || e.seen.Invoke != nil && e.seen.Complete.Index < e.acked.Complete.Index {
			proof, how = e.seen, "had been seen by"
		}
		if last := e.lacked; last.Invoke.Index > e.lastSeen {
			s.found.add("lost", []fallacy.Call{e.add, proof, last},
				"%v is missing from process %d's read (op %d), which was invoked after %v %s process %d (op %d), and no later read has it",
				e.value, last.Invoke.Process, opOf(last), e.value, how, proof.Invoke.Process, opOf(proof))
			continue
		}
		first := e.missing
		s.found.add("stale", []fallacy.Call{e.add, proof, first},
			"%v is missing from process %d's read (op %d), which was invoked after %v %s process %d (op %d); another read has it",
			e.value, first.Invoke.Process, opOf(first), e.value, how, proof.Invoke.Process, opOf(proof))
	}
}
