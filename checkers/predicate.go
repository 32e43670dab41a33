package checkers

import (
	"context"

	"github.com/fallacy-dev/fallacy"
)

const predicateDoc = `of two inserts that each ask for the other's absence, one succeeds

For pairs of transactions by key: insert [k, [a, null]] and insert [k, [null, b]],
each of which looks by a predicate whether anything was inserted for k in either
of two tables, and if not inserts into its own:

  G2  both inserts for a key succeeded: each must have looked before the other
      inserted, so that each depends on the other's not having happened

Serializability forbids it; snapshot isolation and repeatable read, where it is
about items alone, do not. An insert that finds something fails.

It cannot see how often the two ran at one time: if they never did, a pass means
little. The details count the keys for which both were tried at one time.

Source: Jepsen's adya workload; Adya, Weak Consistency, 1999, for G2.`

// PredicateInserts returns the checker of pairs of inserts, Adya's G2 by predicates.
func PredicateInserts() *fallacy.Checker {
	return &fallacy.Checker{Name: "predicate-inserts", Doc: predicateDoc, Check: checkPredicateInserts}
}

// insertPair is the inserts of one key.
type insertPair struct {
	key  fallacy.Value
	last fallacy.Call // of all
	ok   []fallacy.Call
	met  bool // two ran at one time
}

func checkPredicateInserts(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	var order []*insertPair
	pairs := make(map[fallacy.Ident]*insertPair)
	examined := 0
	for c := range h.Calls() {
		examined++
		key, ids, ok := c.Invoke.Value.Tuple()
		if _, _, isPair := ids.Tuple(); !ok || !isPair || c.Invoke.F != "insert" {
			return fallacy.Finding{}, unexpected(c, "insert of [key, [a, null]] or [key, [null, b]]")
		}
		p := pairs[key.Ident()]
		if p == nil {
			p = &insertPair{key: key}
			pairs[key.Ident()] = p
			order = append(order, p)
		}
		p.met = p.met || p.last.Invoke != nil && endOf(p.last) > c.Invoke.Index
		if p.last.Invoke == nil || endOf(c) > endOf(p.last) {
			p.last = c
		}
		if c.Type() == fallacy.OK {
			p.ok = append(p.ok, c)
		}
	}
	var found evidence
	met, inserted := 0, 0
	for _, p := range order {
		if p.met {
			met++
		}
		inserted += len(p.ok)
		if len(p.ok) > 1 {
			found.add("G2", p.ok, "key %v: process %d's insert (op %d) and process %d's (op %d) both succeeded, and each must have found that the other had not happened",
				p.key, p.ok[0].Invoke.Process, opOf(p.ok[0]), p.ok[1].Invoke.Process, opOf(p.ok[1]))
		}
	}
	details := map[string]any{"keys": len(order), "keys tried at one time": met, "inserts": inserted, "anomalies": found.totals}
	return unless(found.finding(examined, details), inserted > 0, "no insert succeeded"), ctx.Err()
}
