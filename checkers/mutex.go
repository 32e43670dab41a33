package checkers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

const mutexDoc = `one process at a time holds the lock

For a lock without leases, with acquire and release. A process that acquired holds
the lock until its release. acquire may complete with a fencing token, or with
[owner, token]. An acquire that fails with the error "held" says that somebody
held the lock. use is what a holder does under the lock, from its invocation to its
completion. A release or use that fails with the error "lapsed" says that the process
had found out by itself, since its last use, that it held the lock no longer.

  double grant          two processes held the lock at one time for certain, by
                        their releases, or by a use of it by one
  release without hold  a process released what it did not hold
  token not increasing  a later hold has no higher token
  false held            an acquire was refused in a time in which nobody can
                        have held the lock

If nothing is found, the history is linearizable: the times in which processes
held the lock for certain cannot overlap, and lie in one order only. An acquire of
unknown outcome may have got the lock for good, since its process never acts
again. It does not fit a lock whose leases expire: for that there is lock, which
asks for tokens alone.

Source: Knossos' mutex; Gibbons and Korach, Testing Shared Memories, 1997, for the zones.`

// Lapsed is what the error of a release or use begins with when the process knew
// before that it did not hold the lock any more.
const Lapsed = "lapsed"

// Mutex returns the checker of a lock that one process holds at a time.
func Mutex() *fallacy.Checker {
	return &fallacy.Checker{Name: "mutex", Doc: mutexDoc, Check: checkMutex}
}

// hold is an acquire that was granted, and its release.
type hold struct {
	acquire, release fallacy.Call // release.Invoke may be nil: never released
	use              fallacy.Call // the last; Invoke may be nil
	lapsed           bool         // release is the last use
	token            int
	hasToken         bool
}

// leaving is when the release was invoked, and so until when the lock was held for certain.
func (h *hold) leaving() int {
	switch {
	case h.release.Invoke == nil:
		return never
	case h.lapsed: // it was in use up to then
		return h.release.Complete.Index
	}
	return h.release.Invoke.Index
}

// left is when the lock had certainly been given back.
func (h *hold) left() int {
	if h.release.Invoke == nil {
		return never
	}
	return endOf(h.release)
}

// mutexHistory is a history of one lock.
type mutexHistory struct {
	holds   []*hold
	held    map[int]*hold  // by process
	refused []fallacy.Call // acquires that found the lock held
	doubt   fallacy.Call   // the acquire of unknown outcome that was invoked first
	found   evidence
}

func checkMutex(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	m := mutexHistory{held: make(map[int]*hold)}
	examined := 0
	for c := range h.Calls() {
		examined++
		switch c.Invoke.F {
		case "acquire":
			m.acquire(c)
		case "release":
			m.release(c)
		case "use":
			m.use(c)
		case "guard":
		default:
			return fallacy.Finding{}, unexpected(c, "acquire, use, release or guard")
		}
	}
	slices.SortFunc(m.holds, func(a, b *hold) int { return cmp.Compare(endOf(a.acquire), endOf(b.acquire)) })
	if m.reportOverlaps(); len(m.found.anomalies) == 0 {
		m.reportFalseHelds()
	}
	finding := m.found.finding(examined, map[string]any{"holds": len(m.holds), "refused": len(m.refused), "anomalies": m.found.totals})
	if finding.Verdict == fallacy.Valid && len(m.holds) == 0 && len(m.refused) == 0 {
		finding.Verdict, finding.Reason = fallacy.Unknown, "no acquire was answered"
	}
	return finding, ctx.Err()
}

func (m *mutexHistory) acquire(c fallacy.Call) {
	switch c.Type() {
	case fallacy.OK:
		h := &hold{acquire: c}
		token := c.Value()
		if _, second, ok := token.Tuple(); ok {
			token = second
		}
		if !c.Value().Equal(c.Invoke.Value) {
			h.token, h.hasToken = token.Int()
		}
		m.holds = append(m.holds, h)
		m.held[c.Invoke.Process] = h
	case fallacy.Fail:
		if c.Complete.Error == "held" || strings.HasPrefix(c.Complete.Error, "held:") {
			m.refused = append(m.refused, c)
		}
	case fallacy.Info:
		if m.doubt.Invoke == nil {
			m.doubt = c
		}
	}
}

func (m *mutexHistory) release(c fallacy.Call) {
	if c.Type() == fallacy.Fail {
		if strings.HasPrefix(c.Complete.Error, Lapsed) {
			m.lapse(c.Invoke.Process)
		}
		return
	}
	h := m.held[c.Invoke.Process]
	if h == nil {
		if c.Type() == fallacy.OK {
			m.found.add("release without hold", []fallacy.Call{c}, "process %d released the lock (op %d) and did not hold it",
				c.Invoke.Process, opOf(c))
		}
		return
	}
	h.release = c
	delete(m.held, c.Invoke.Process)
}

func (m *mutexHistory) use(c fallacy.Call) {
	h := m.held[c.Invoke.Process]
	switch {
	case h == nil:
	case c.Type() == fallacy.OK:
		h.use = c
	case c.Type() == fallacy.Fail && strings.HasPrefix(c.Complete.Error, Lapsed):
		m.lapse(c.Invoke.Process)
	}
}

// lapse ends a hold with its last use, as nobody can tell for how long it went on.
func (m *mutexHistory) lapse(process int) {
	h := m.held[process]
	if h == nil {
		return
	}
	delete(m.held, process)
	if h.release, h.lapsed = h.use, true; h.use.Invoke == nil {
		m.holds = slices.DeleteFunc(m.holds, func(o *hold) bool { return o == h })
	}
}

// reportOverlaps goes through the holds in their only possible order.
func (m *mutexHistory) reportOverlaps() {
	var before *hold // that lasts longest
	for i, h := range m.holds {
		if before != nil && endOf(h.acquire) < before.leaving() {
			until := "never released it"
			switch {
			case before.lapsed:
				until = fmt.Sprintf("was not done with its use of it (op %d) until after that", before.leaving())
			case before.release.Invoke != nil:
				until = fmt.Sprintf("invoked its %s (op %d) only after that", before.release.Invoke.F, before.release.Invoke.Index)
			}
			m.found.add("double grant", []fallacy.Call{before.acquire, before.release, h.acquire},
				"process %d was granted the lock (op %d) although process %d had been granted it (op %d) and %s",
				h.acquire.Invoke.Process, opOf(h.acquire), before.acquire.Invoke.Process, opOf(before.acquire), until)
		}
		if before == nil || h.leaving() > before.leaving() {
			before = h
		}
		if i > 0 && h.hasToken && m.holds[i-1].hasToken && h.token <= m.holds[i-1].token {
			b := m.holds[i-1]
			m.found.add("token not increasing", []fallacy.Call{b.acquire, b.release, h.acquire},
				"process %d held the lock with token %d (op %d), and after it process %d with token %d (op %d)",
				b.acquire.Invoke.Process, b.token, opOf(b.acquire), h.acquire.Invoke.Process, h.token, opOf(h.acquire))
		}
	}
}

// reportFalseHelds holds each refusal against the gap between the last hold that
// had ended before it and the next.
func (m *mutexHistory) reportFalseHelds() {
	order := make([]int, len(m.holds)) // of the holds, by when they had ended
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(m.holds[a].left(), m.holds[b].left()) })
	last := make([]int, len(order)+1) // the last hold among the first of order; less than 0: none
	last[0] = -1
	for i, at := range order {
		last[i+1] = max(last[i], at)
	}
	for _, c := range m.refused {
		ended := sort.Search(len(order), func(i int) bool { return m.holds[order[i]].left() > c.Invoke.Index })
		next := last[ended] + 1
		calls := []fallacy.Call{c}
		if next > 0 {
			calls = append(calls, m.holds[next-1].acquire, m.holds[next-1].release)
		}
		if next < len(m.holds) {
			if m.holds[next].acquire.Invoke.Index < endOf(c) {
				continue
			}
			calls = append(calls, m.holds[next].acquire)
		} else if m.doubt.Invoke != nil && m.doubt.Invoke.Index < endOf(c) {
			continue
		}
		m.found.add("false held", calls, "process %d was told that the lock was held (op %d), and nobody can have held it since it asked (op %d)",
			c.Invoke.Process, opOf(c), c.Invoke.Index)
	}
}
