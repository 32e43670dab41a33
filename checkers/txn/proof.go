package txn

import (
	"fmt"

	"github.com/fallacy-dev/fallacy"
)

// proof tells, from the history and not from the graph, whether one transaction
// comes before another for a reason of some kind, and says so in a sentence. No
// cycle is reported of which any step has none.
func (h *history) proof(from, to int32, k kind) (fallacy.Step, bool) {
	s := fallacy.Step{From: h.op(from), To: h.op(to), Type: kindNames[k]}
	a, b := &h.txns[from], &h.txns[to]
	switch {
	case k == process:
		s.Why = fmt.Sprintf("%s was of the same process as %s, and earlier", h.name(from), h.name(to))
		return s, h.process && a.ok() && b.ok() && a.process == b.process && a.complete < b.complete
	case k == realtime:
		if !h.realtime || !a.ok() || !b.possible() || b.invoke == none || a.complete > b.invoke {
			return s, false
		}
		s.Why = fmt.Sprintf("%s had ended before %s was invoked (op %d)", h.name(from), h.name(to), h.input[b.invoke].Index)
		return s, true
	case !a.possible() || !b.possible():
		return s, false
	case h.isa == "append":
		return h.appendProof(s, from, to, k)
	case !a.ok() || !b.ok():
		return s, false
	}
	return h.registerProof(s, from, to, k)
}

// appendProof looks for two micro-ops on one list that prove a step.
func (h *history) appendProof(s fallacy.Step, from, to int32, k kind) (fallacy.Step, bool) {
	ours, theirs := h.at(from), h.at(to)
	for i := range theirs {
		b := &theirs[i]
		switch {
		case k == wr && b.kind == read && h.writer(b.version) == from:
			s.Key = h.keys[b.key].name
			s.Why = fmt.Sprintf("%s appended the last of %s that %s read from %s", h.name(from), h.saw(b), h.name(to), h.keyName(b.key))
			return s, true
		case k == wr || b.kind != write:
			continue
		}
		before := h.before(b.version)
		for j := range ours {
			a := &ours[j]
			if a.key != b.key || a.version != before || a.kind != map[kind]uint8{ww: write, rw: read}[k] {
				continue
			}
			s.Key = h.keys[b.key].name
			s.Why = fmt.Sprintf("%s appended %v to %s and %s appended %s after it", h.name(from), h.value(a.version), h.keyName(b.key), h.name(to), h.appended(b))
			if k == rw {
				s.Why = fmt.Sprintf("%s read %s from %s without %s, which %s appended next", h.name(from), h.saw(a), h.keyName(b.key), h.appended(b), h.name(to))
			}
			return s, true
		}
	}
	return s, false
}

// appended names an element that was appended.
func (h *history) appended(m *mop) string {
	if h.all[m.version].place == none {
		return h.value(m.version).String() + " (which no read shows)"
	}
	return h.value(m.version).String()
}

// registerProof looks for two micro-ops on one register that prove a step.
func (h *history) registerProof(s fallacy.Step, from, to int32, k kind) (fallacy.Step, bool) {
	ours, theirs := h.at(from), h.at(to)
	for i := range theirs {
		b := &theirs[i]
		if !b.external || (b.kind == read) != (k == wr) {
			continue
		}
		for j := range ours {
			a := &ours[j]
			if a.key != b.key || !a.external || (a.kind == read) != (k == rw) {
				continue
			}
			s.Key = h.keys[b.key].name
			if k == wr {
				if a.version != b.version {
					continue
				}
				s.Why = fmt.Sprintf("%s wrote the %v that %s read from %s", h.name(from), h.value(a.version), h.name(to), h.keyName(b.key))
				return s, true
			}
			e := h.overwrote.edgeBetween(h.overwrote.done, a.version, b.version)
			if e == none {
				continue
			}
			verb := "wrote"
			if k == rw {
				verb = "read"
			}
			s.Why = fmt.Sprintf("%s %s %s as %v, which %s overwrote with %v (%s)", h.name(from), verb, h.keyName(b.key), h.value(a.version),
				h.name(to), h.value(b.version), h.overwrote.whyBefore(a.version, b.version, h.overwrote.because[e]))
			return s, true
		}
	}
	return s, false
}

// whyBefore says why one version comes before another.
func (o *overwrites) whyBefore(v, w int32, b because) string {
	x, y := o.value(v), o.value(w)
	switch b.source {
	case initialState:
		return fmt.Sprintf("%v was written, and %v is what there was at first", y, x)
	case wfrKeys:
		return fmt.Sprintf("%s read %v and then wrote %v", o.name(b.a), x, y)
	case transactionOrder:
		return fmt.Sprintf("%v is of %s, which the target says that it ran before %s, of which %v is", x, o.name(b.a), o.name(b.b), y)
	case sequentialKeys:
		return fmt.Sprintf("%s left %v, and then %s, of the same process, found or wrote %v", o.name(b.a), x, o.name(b.b), y)
	}
	return fmt.Sprintf("%s, which left %v, had ended before %s, which found or wrote %v, was invoked", o.name(b.a), x, o.name(b.b), y)
}

// reportCycle reports a circle of members, a sentence for each step.
func (u *hunt) reportCycle(c circle) {
	c = u.shortcut(c)
	name := c.name()
	closure(setOf([]string{name}), func(a string) []string {
		u.found[a] = true
		return implied[a]
	})
	var txns []int32
	var steps []fallacy.Step
	for _, s := range c {
		txns = append(txns, u.members[s.from])
	}
	u.report(name, txns, func() string {
		var clauses []string
		for _, s := range c {
			proof, _ := u.proof(u.members[s.from], u.members[s.to], s.kind)
			steps = append(steps, proof)
			clauses = append(clauses, proof.Why)
		}
		return "each must come before the next, in a circle: " + joined(clauses)
	})
	if steps != nil {
		u.history.found.anomalies[len(u.history.found.anomalies)-1].Cycle = steps
	}
}

// shortcut makes one step of several that follow a process: it is a transitive order.
func (u *hunt) shortcut(c circle) circle {
	for i := 0; i < len(c) && len(c) > 2; {
		next := c[(i+1)%len(c)]
		if c[i].kind != process || next.kind != process {
			i++
			continue
		}
		c[i].to = next.to
		if i+1 == len(c) {
			return append(circle{{c[i].from, next.to, process}}, c[1:i]...)
		}
		c = append(c[:i+1], c[i+2:]...)
	}
	return c
}

// joined joins clauses, the first many.
func joined(clauses []string) string {
	const most = 10
	s := ""
	for i, c := range clauses {
		if i == most {
			return s + fmt.Sprintf("; and %d more lead back", len(clauses)-most)
		}
		if i > 0 {
			s += "; "
		}
		s += c
	}
	return s
}
