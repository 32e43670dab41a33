package checkers

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/fallacy-dev/fallacy"
)

const causalDoc = `nobody sees an effect without its cause

For registers with read and write by key, [k, v], where each value is written once
to a key. Causal order is the order of each process's calls, and that of a write
before the reads that saw it, and what follows from these two.

  thin air read          a read saw a value that nobody wrote, or whose write failed
  cyclic causality       calls cause each other in a circle
  causality violation    a read saw a value although, in causal order, another
                         write to the key came after that value's and before the read
  initial read           a read saw nothing, although in causal order a write to
                         the key came before it

If none is found, the history is causally consistent in the weak sense (CC):
each read can be explained by an order of its causes. It does not ask that all
processes agree about writes that do not cause one another (causal convergence), nor
for real time. A write of unknown outcome counts if somebody saw its value.

Source: Bouajjani, Enea, Guerraoui and Hamza, On Verifying Causal Consistency, POPL
2017, whose bad patterns these are; the idea of Jepsen's causal workload.`

// Causal returns the checker of causal consistency: read and write by key.
func Causal() *fallacy.Checker {
	return &fallacy.Checker{Name: "causal", Doc: causalDoc, Check: checkCausal}
}

// causalCall is a read or write with its causes.
type causalCall struct {
	fallacy.Call
	key, value fallacy.Ident
	text       string
	write      bool
	initial    bool  // a read that saw nothing
	from       int32 // of a read, the write that it saw; less than 0: none
	session    int32
	place      int32   // in its session
	past       []int32 // by session: how many of its calls are causes, this one among them
}

type causalHistory struct {
	calls    []causalCall
	sessions [][]int32                 // calls, in order
	writes   map[fallacy.Ident][]int32 // by key, by place in the history
	found    evidence
}

// causalCells bounds the table of causes: 1 GiB.
const causalCells = 1 << 28

func checkCausal(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	s := causalHistory{writes: make(map[fallacy.Ident][]int32)}
	examined, err := s.gather(h)
	if err != nil {
		return fallacy.Finding{}, err
	}
	if n := len(s.calls) * len(s.sessions); n > causalCells {
		return fallacy.Finding{}, fmt.Errorf("%d calls in %d sessions are too many: split the history", len(s.calls), len(s.sessions))
	}
	if s.order() {
		if err := s.violations(ctx); err != nil {
			return fallacy.Finding{}, err
		}
	}
	reads := 0
	for i := range s.calls {
		if !s.calls[i].write {
			reads++
		}
	}
	details := map[string]any{"reads": reads, "writes": len(s.calls) - reads, "sessions": len(s.sessions), "anomalies": s.found.totals}
	return unless(s.found.finding(examined, details), reads > 0, "no read succeeded"), ctx.Err()
}

// gather takes in the calls that count, and finds for each read its write.
func (s *causalHistory) gather(h fallacy.History) (examined int, err error) {
	sessions := make(map[int]int32)
	writers := make(map[[2]fallacy.Ident]int32)
	failed := make(map[[2]fallacy.Ident]fallacy.Call)
	for c := range h.Calls() {
		examined++
		key, v, ok := c.Value().Tuple()
		if !ok || c.Invoke.F != "read" && c.Invoke.F != "write" {
			return 0, unexpected(c, "read or write of [key, value]")
		}
		n := causalCall{Call: c, key: key.Ident(), value: v.Ident(), text: c.Value().String(), write: c.Invoke.F == "write", initial: v.IsNil(), from: -1}
		what := [2]fallacy.Ident{n.key, n.value}
		if n.write && c.Type() == fallacy.Fail {
			failed[what] = c
		}
		if c.Type() == fallacy.Fail || !n.write && c.Type() != fallacy.OK {
			continue
		}
		at := int32(len(s.calls))
		if n.write {
			if w, twice := writers[what]; twice {
				return 0, fmt.Errorf("op %d: %v was written before, by op %d: values must be unique per key", opOf(c), c.Value(), opOf(s.calls[w].Call))
			}
			writers[what] = at
			s.writes[n.key] = append(s.writes[n.key], at)
		}
		if n.session, ok = sessions[c.Invoke.Process]; !ok {
			n.session = int32(len(s.sessions))
			sessions[c.Invoke.Process] = n.session
			s.sessions = append(s.sessions, nil)
		}
		n.place = int32(len(s.sessions[n.session]))
		s.sessions[n.session] = append(s.sessions[n.session], at)
		s.calls = append(s.calls, n)
	}
	for i := range s.calls {
		c := &s.calls[i]
		if c.write || c.initial {
			continue
		}
		w, ok := writers[[2]fallacy.Ident{c.key, c.value}]
		if c.from = w; !ok {
			c.from = -1
			s.reportThinAir(c, failed[[2]fallacy.Ident{c.key, c.value}])
		}
	}
	return examined, nil
}

func (s *causalHistory) reportThinAir(c *causalCall, failed fallacy.Call) {
	why := "which nobody wrote"
	if failed.Invoke != nil {
		why = fmt.Sprintf("although the write of it had failed (op %d)", opOf(failed))
	}
	s.found.add("thin air read", []fallacy.Call{failed, c.Call}, "process %d read %s (op %d), %s", c.Invoke.Process, c.text, opOf(c.Call), why)
}

// order works out every call's causes, from the first on; false if some cause
// each other in a circle.
func (s *causalHistory) order() bool {
	waits := make([]int8, len(s.calls))
	readers := make(map[int32][]int32)
	var ready []int32
	for i := range s.calls {
		c := &s.calls[i]
		if c.place > 0 {
			waits[i]++
		}
		if c.from >= 0 {
			waits[i]++
			readers[c.from] = append(readers[c.from], int32(i))
		}
		if waits[i] == 0 {
			ready = append(ready, int32(i))
		}
	}
	done := 0
	for ; len(ready) > 0; done++ {
		at := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		s.collect(at)
		next := readers[at]
		if c := &s.calls[at]; int(c.place)+1 < len(s.sessions[c.session]) {
			next = append(slices.Clone(next), s.sessions[c.session][c.place+1])
		}
		for _, n := range next {
			if waits[n]--; waits[n] == 0 {
				ready = append(ready, n)
			}
		}
	}
	if done < len(s.calls) {
		s.reportCircle(waits)
	}
	return done == len(s.calls)
}

// collect makes the past of a call whose causes have theirs.
func (s *causalHistory) collect(at int32) {
	c := &s.calls[at]
	c.past = make([]int32, len(s.sessions))
	if c.place > 0 {
		copy(c.past, s.calls[s.sessions[c.session][c.place-1]].past)
	}
	if c.from >= 0 {
		for i, n := range s.calls[c.from].past {
			c.past[i] = max(c.past[i], n)
		}
	}
	c.past[c.session] = c.place + 1
}

// reportCircle walks back along causes that were never settled until it meets
// itself.
func (s *causalHistory) reportCircle(waits []int8) {
	at := int32(slices.IndexFunc(waits, func(n int8) bool { return n > 0 }))
	var path []int32
	for !slices.Contains(path, at) {
		path = append(path, at)
		c := &s.calls[at]
		if c.from >= 0 && s.calls[c.from].past == nil {
			at = c.from
		} else {
			at = s.sessions[c.session][c.place-1]
		}
	}
	path = path[slices.Index(path, at):]
	var calls []fallacy.Call
	for _, p := range path {
		calls = append(calls, s.calls[p].Call)
	}
	c := s.calls[path[0]]
	s.found.add("cyclic causality", calls, "%d calls cause each other in a circle, process %d's %s of %s (op %d) among them: each read a value or came after one that did, and the last wrote what the first needed",
		len(path), c.Invoke.Process, c.Invoke.F, c.text, opOf(c.Call))
}

// violations holds each read against the writes to its key among its causes.
func (s *causalHistory) violations(ctx context.Context) error {
	bySession := make(map[fallacy.Ident]map[int32][]int32) // writes by key and session, in order
	for key, writes := range s.writes {
		all := make(map[int32][]int32)
		for _, w := range writes {
			all[s.calls[w].session] = append(all[s.calls[w].session], w)
		}
		bySession[key] = all
	}
	for i := range s.calls {
		c := &s.calls[i]
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if c.write || !c.initial && c.from < 0 {
			continue
		}
		missed := int32(-1) // the first in the history of the writes that it should have seen
		for session, writes := range bySession[c.key] {
			// The last of the session's writes that is a cause has all earlier ones among its own.
			n := sort.Search(len(writes), func(i int) bool { return s.calls[writes[i]].place >= c.past[session] })
			if n > 0 && s.missed(c, &s.calls[writes[n-1]]) && (missed < 0 || writes[n-1] < missed) {
				missed = writes[n-1]
			}
		}
		if missed >= 0 {
			s.report(c, &s.calls[missed])
		}
	}
	return nil
}

// missed tells whether a read should have seen a write, which is among its causes,
// rather than what it saw.
func (s *causalHistory) missed(c, w *causalCall) bool {
	if c.initial {
		return true
	}
	from := &s.calls[c.from]
	return from != w && w.past[from.session] > from.place
}

func (s *causalHistory) report(c, w *causalCall) {
	if c.initial {
		s.found.add("initial read", []fallacy.Call{w.Call, c.Call}, "process %d's read (op %d) saw nothing, and process %d's write of %s (op %d) is among its causes",
			c.Invoke.Process, opOf(c.Call), w.Invoke.Process, w.text, opOf(w.Call))
		return
	}
	from := &s.calls[c.from]
	s.found.add("causality violation", []fallacy.Call{from.Call, w.Call, c.Call}, "process %d read %s (op %d), but process %d's write of %s (op %d) came after the write of that (op %d) and before the read, in causal order",
		c.Invoke.Process, c.text, opOf(c.Call), w.Invoke.Process, w.text, opOf(w.Call), opOf(from.Call))
}
