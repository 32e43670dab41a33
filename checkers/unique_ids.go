package checkers

import (
	"cmp"
	"context"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const uniqueIDsDoc = `every identifier is handed out once

For generators of identifiers, with generate, which completes with one:

  duplicate     two calls were given one identifier
  out of order  a call that was invoked after another had been answered was given
                a lower identifier. Only asked if it is claimed, and of identifiers
                that are whole numbers

It cannot see identifiers that were given to calls of unknown outcome.

Source: Jepsen's unique-ids checker; Maelstrom's unique-ids workload.`

// UniqueIDs returns the checker of identifiers that claim no order.
func UniqueIDs() *fallacy.Checker { return UniqueIDsWith(false) }

// UniqueIDsWith returns the checker of identifiers, which grow in real time if ordered.
func UniqueIDsWith(ordered bool) *fallacy.Checker {
	return &fallacy.Checker{Name: "unique-ids", Doc: uniqueIDsDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		return checkUniqueIDs(ctx, h, ordered)
	}}
}

func checkUniqueIDs(ctx context.Context, h fallacy.History, ordered bool) (fallacy.Finding, error) {
	var found evidence
	var given []fallacy.Call // by invocation
	first := make(map[fallacy.Ident]fallacy.Call)
	examined := 0
	for c := range h.Calls() {
		examined++
		if c.Invoke.F != "generate" {
			return fallacy.Finding{}, unexpected(c, "generate")
		}
		if c.Type() != fallacy.OK {
			continue
		}
		id := c.Value().Ident()
		if f, ok := first[id]; ok {
			found.add("duplicate", []fallacy.Call{f, c}, "process %d (op %d) and process %d (op %d) were both given %v",
				f.Invoke.Process, opOf(f), c.Invoke.Process, opOf(c), c.Value())
		} else {
			first[id] = c
		}
		if _, isInt := c.Value().Int(); ordered && !isInt {
			return fallacy.Finding{}, unexpected(c, "a whole number, to be put in order")
		}
		given = append(given, c)
	}
	if ordered {
		idsInOrder(&found, given)
	}
	details := map[string]any{"given": len(given), "anomalies": found.totals}
	return unless(found.finding(examined, details), len(given) > 0, "no identifier was given"), ctx.Err()
}

// idsInOrder holds each call against the highest identifier given before it was invoked.
func idsInOrder(found *evidence, given []fallacy.Call) {
	ended := slices.SortedFunc(slices.Values(given), func(a, b fallacy.Call) int { return cmp.Compare(a.Complete.Index, b.Complete.Index) })
	var highest fallacy.Call
	most, done := 0, 0
	for _, c := range given {
		for ; done < len(ended) && ended[done].Complete.Index < c.Invoke.Index; done++ {
			if n, _ := ended[done].Value().Int(); highest.Invoke == nil || n > most {
				most, highest = n, ended[done]
			}
		}
		if n, _ := c.Value().Int(); highest.Invoke != nil && n < most {
			found.add("out of order", []fallacy.Call{highest, c},
				"process %d was given %d (op %d) by a call that it invoked after process %d had been given %d (op %d)",
				c.Invoke.Process, n, opOf(c), highest.Invoke.Process, most, opOf(highest))
		}
	}
}
