package checkers

import (
	"cmp"
	"context"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const causalReverseDoc = `a later write is not seen without an earlier one

For unique elements that are each written by write and read all at once by read, as
a list:

  causal reverse  a read has an element whose write was invoked after another's
                  had been acknowledged, and lacks the other

Serializability allows it, strict serializability and linearizability do not. It
asks only about what reads lack relative to what they have, so that a read that is
stale as a whole is no anomaly.

Source: Jepsen's causal-reverse workload, after CockroachDB's comments test.`

// CausalReverse returns the checker of writes seen in the wrong order.
func CausalReverse() *fallacy.Checker {
	return &fallacy.Checker{Name: "causal-reverse", Doc: causalReverseDoc, Check: checkCausalReverse}
}

func checkCausalReverse(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	var reads, acked []fallacy.Call
	writes := make(map[fallacy.Ident]fallacy.Call)
	examined := 0
	for c := range h.Calls() {
		examined++
		switch {
		case c.Invoke.F != "write" && c.Invoke.F != "read":
			return fallacy.Finding{}, unexpected(c, "write of an element or read of all")
		case c.Invoke.F == "read" && c.Type() == fallacy.OK:
			reads = append(reads, c)
		case c.Invoke.F == "write" && c.Type() != fallacy.Fail:
			writes[c.Invoke.Value.Ident()] = c
			if c.Type() == fallacy.OK {
				acked = append(acked, c)
			}
		}
	}
	slices.SortFunc(acked, func(a, b fallacy.Call) int { return cmp.Compare(a.Complete.Index, b.Complete.Index) })
	var found evidence
	for _, r := range reads {
		values, ok := r.Value().List()
		if !ok && !r.Value().IsNil() {
			return fallacy.Finding{}, unexpected(r, "a list of elements")
		}
		has := make(map[fallacy.Ident]bool, len(values))
		var last fallacy.Call // of the writes that it has, the one invoked last
		for _, v := range values {
			id := v.Ident()
			has[id] = true
			if w := writes[id]; w.Invoke != nil && (last.Invoke == nil || w.Invoke.Index > last.Invoke.Index) {
				last = w
			}
		}
		for _, w := range acked { // the first that it lacks was acknowledged first
			if last.Invoke == nil || w.Complete.Index > last.Invoke.Index {
				break
			}
			if !has[w.Invoke.Value.Ident()] {
				found.add("causal reverse", []fallacy.Call{w, last, r}, "process %d's read (op %d) has %v and lacks %v, although the write of %v (op %d) was invoked after that of %v had been acknowledged (op %d)",
					r.Invoke.Process, opOf(r), last.Invoke.Value, w.Invoke.Value, last.Invoke.Value, last.Invoke.Index, w.Invoke.Value, opOf(w))
				break
			}
		}
		if err := ctx.Err(); err != nil {
			return fallacy.Finding{}, err
		}
	}
	details := map[string]any{"reads": len(reads), "writes": len(writes), "anomalies": found.totals}
	return unless(found.finding(examined, details), len(reads) > 0, "no read succeeded"), nil
}
