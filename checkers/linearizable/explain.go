package linearizable

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// violation is why a register is not linearizable, with the calls that prove it.
type violation struct {
	name  string // empty: nonlinearizable
	why   string
	calls []fallacy.Call
	upTo  int32                                    // the end of the answer up to which there already is no order; 0: not known
	stuck func(ctx context.Context) *fallacy.Stuck // nil: nobody can tell
}

// anomaly gives the violation its name and the indexes of its ops.
func (v *violation) anomaly() fallacy.Anomaly {
	ops := []int{}
	for _, c := range v.calls {
		ops = append(ops, c.Ops()...)
	}
	slices.Sort(ops)
	return fallacy.Anomaly{Name: cmp.Or(v.name, "nonlinearizable"), Why: v.why, Ops: slices.Compact(ops)}
}

// violated makes a violation of the calls at the given places.
func (r *register) violated(places []int32, format string, args ...any) *violation {
	v := &violation{why: inKey(r.name, fmt.Sprintf(format, args...))}
	for _, p := range places {
		if p != none {
			v.calls = append(v.calls, r.at(p))
		}
	}
	return v
}

// inKey says of which key a sentence speaks, if there is more than one.
func inKey(name, sentence string) string {
	if name == "" {
		return sentence
	}
	return "key " + name + ": " + sentence
}

// text names a call: "process 3's read of 4".
func (r *register) text(place int32) string {
	c := &r.calls[place]
	invoke := &r.history[c.op]
	who := fmt.Sprintf("process %d's ", invoke.Process)
	switch {
	case c.kind == read && invoke.F == "cas":
		return who + "refused cas that saw " + r.value(c.value)
	case c.kind == read:
		return who + "read of " + r.value(c.value)
	case c.kind == refusal:
		return who + "refused cas from " + r.value(c.old) + " to " + r.value(c.value)
	case c.kind == write:
		return who + "write of " + r.value(c.value)
	}
	return who + "cas from " + r.value(c.old) + " to " + r.value(c.value)
}

// value names a value; nil is the register's absence.
func (r *register) value(v int32) string {
	if v == 0 {
		return "nothing"
	}
	return r.vals.text(v)
}

// ended says of a call that it had ended, with the op.
func (r *register) ended(place int32) string {
	return fmt.Sprintf("%s had ended (op %d)", r.text(place), opOf(r.at(place)))
}

// invoked says of a call that it was invoked, with the op.
func (r *register) invoked(place int32) string {
	return fmt.Sprintf("%s was invoked (op %d)", r.text(place), r.history[r.calls[place].op].Index)
}

// unwritten is about a value that was needed and that nobody may have written.
func (r *register) unwritten(entries []entry, v int32) *violation {
	place := entries[v].soonRead
	var more []int32
	proof := ""
	if place == none { // then a cas that is needed took it
		place = r.neededTaker(entries, v)
		more, proof = r.proof(entries, r.calls[place].value)
	}
	op := opOf(r.at(place))
	if failed, ok := r.failedWriter(v); ok {
		bad := r.violated(append(more, place), "%s (op %d) found a value whose %s by process %d had failed (op %d)%s",
			r.text(place), op, failed.Invoke.F, failed.Invoke.Process, opOf(failed), proof)
		bad.calls = append(bad.calls, failed)
		return bad
	}
	when := "nobody ever tried to write"
	if r.short {
		when = "nobody had tried to write yet"
	}
	return r.violated(append(more, place), "%s (op %d) found a value that %s%s", r.text(place), op, when, proof)
}

// failedWriter returns a write or cas of the value that failed.
func (r *register) failedWriter(v int32) (failed fallacy.Call, ok bool) {
	for c := range r.history.Calls() {
		key, arg, keyed, err := argument(c.Invoke)
		if err != nil || c.Type() != fallacy.Fail || c.Invoke.F == "read" || keyed != r.keyed || !key.Equal(r.key) {
			continue
		}
		if c.Invoke.F == "cas" {
			_, arg, _ = arg.Tuple()
		}
		if r.vals.of(arg) == v {
			return c, true
		}
	}
	return failed, false
}

// takenTwice is about two values that each took the place of one.
func (r *register) takenTwice(entries []entry, a, b int32) *violation {
	x, y := entries[a].writer, entries[b].writer
	more, proof := r.proof(entries, a)
	also, proofToo := r.proof(entries, b)
	places := slices.Concat([]int32{x, y}, more, also)
	return r.violated(places, "%s (op %d) and %s (op %d) both took the place of %s, which was there but once%s%s",
		r.text(x), opOf(r.at(x)), r.text(y), opOf(r.at(y)), r.value(r.calls[x].old), proof, proofToo)
}

// proof returns what proves that the writer of a needed value took effect, if it
// was not itself answered: somebody saw the value, or took it and was seen.
func (r *register) proof(entries []entry, v int32) (places []int32, text string) {
	for !r.calls[entries[v].writer].known {
		if seen := entries[v].soonRead; seen != none {
			return append(places, seen), fmt.Sprintf("; %s (op %d) proves that %s took effect",
				r.text(seen), opOf(r.at(seen)), r.value(v))
		}
		taker := r.neededTaker(entries, v)
		if taker == none || len(places) > len(entries) {
			break
		}
		places = append(places, taker)
		v = r.calls[taker].value
	}
	return places, ""
}

// proved returns the places with those added that prove of calls with unknown
// outcome that they took effect.
func (r *register) proved(entries []entry, places ...int32) (all []int32, text string) {
	all = places
	for _, p := range places {
		if p == none || r.calls[p].known {
			continue
		}
		shown := func(q int32) bool {
			return q != none && r.calls[q].kind == read && r.calls[q].value == r.calls[p].value
		}
		if !slices.ContainsFunc(all, shown) {
			more, why := r.proof(entries, r.calls[p].value)
			all, text = append(all, more...), text+why
		}
	}
	return all, text
}

// neededTaker returns the needed cas that took the value.
func (r *register) neededTaker(entries []entry, v int32) int32 {
	return int32(slices.IndexFunc(r.calls, func(c call) bool {
		return c.kind == cas && c.old == v && entries[c.value].needed
	}))
}

// circle is about values each of which had to be there for the next to be written.
func (r *register) circle(entries []entry, v int32) *violation {
	var places []int32
	seen := int32(none)
	for at := entries[v].writer; !slices.Contains(places, at); at = entries[r.calls[at].old].writer {
		places = append(places, at)
		if read := entries[r.calls[at].value].soonRead; read != none {
			seen = read
		}
	}
	slices.Reverse(places)
	const most = 4
	text := ""
	for i, p := range places[:min(len(places), most)] {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s (op %d)", r.text(p), opOf(r.at(p)))
	}
	if n := len(places) - most; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return r.violated(append(places, seen), "%s: each needs the value that the one before it wrote, in a circle, and nobody else wrote any of them", text)
}

// disorder is about a call that ended before one began that must come before it.
func (r *register) disorder(entries []entry, ended, began int32) *violation {
	x, y := &r.calls[ended], &r.calls[began]
	places, proof := r.proved(entries, ended, began)
	reason := "nobody else wrote that value"
	switch {
	case y.value == x.value:
	case x.kind == cas && x.old == y.value:
		reason = fmt.Sprintf("nobody wrote %s again after that cas had taken its place", r.value(y.value))
		if y.kind != read {
			reason = fmt.Sprintf("nobody else wrote %s, which the cas needs", r.value(y.value))
		}
	default:
		reason = fmt.Sprintf("successful compare-and-sets lead from %s to %s, and nobody else wrote either", r.value(y.value), r.value(x.value))
	}
	return r.violated(places, "%s before %s, and yet must come after it: %s%s", r.ended(ended), r.invoked(began), reason, proof)
}

// contradiction is about two chains each of which must precede the other. Only
// a can be that of the initial state.
func (r *register) contradiction(entries []entry, a, b *chain) *violation {
	if b.firstEnd == none {
		a, b = b, a
	}
	places, proof := r.proved(entries, a.firstEnd, b.lastBegin, b.firstEnd, a.lastBegin)
	tail := r.links(a, b) + proof
	back := fmt.Sprintf("%s before %s", r.ended(b.firstEnd), r.invoked(a.lastBegin))
	if a.firstEnd == none {
		return r.violated(places, "%s, and the register held nothing only at first%s", back, tail)
	}
	if b.firstEnd == b.lastBegin && r.calls[a.lastBegin].kind == read && a.from == a.to {
		return r.violated(places, "%s after %s, which had been invoked (op %d) after %s: %s had been overwritten%s",
			r.invoked(a.lastBegin), r.ended(b.firstEnd), r.history[r.calls[b.lastBegin].op].Index, r.ended(a.firstEnd), r.value(a.from), tail)
	}
	return r.violated(places, "%s before %s, so that %s came first; and %s, so that %s came first: neither order is possible, since each was written once%s",
		r.ended(a.firstEnd), r.invoked(b.lastBegin), r.value(r.calls[a.firstEnd].value),
		back, r.value(r.calls[b.firstEnd].value), tail)
}

// links says which values are tied together by compare-and-sets.
func (r *register) links(chains ...*chain) string {
	text := ""
	for _, c := range chains {
		if c.from != c.to {
			text += fmt.Sprintf("; compare-and-sets lead from %s straight to %s", r.value(c.from), r.value(c.to))
		}
	}
	return text
}
