package checkers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

const longForkDoc = `all readers see writes happen in the same order

For keys that are each written once, by transactions of one write, and that are
read in groups, by transactions of reads of all keys of a group:

  long fork  one read has a write and lacks another, and a second read has the
             other and lacks the one: the two see the past in different orders

Parallel snapshot isolation allows it; snapshot isolation and all above do not. The
check is exact for what it asks: reads of one group must form a chain by what they
have seen.

Values are transactions: [["w", k, v]], and [["r", k, null], ["r", l, null]],
which completes with what was there. It takes a key that is nil as not written yet,
so that keys must not be written twice.

Source: Jepsen's long-fork workload; Cerone, Bernardi and Gotsman, A Framework for
Transactional Consistency Models with Atomic Visibility, 2015.`

// LongFork returns the checker of forks in what readers see.
func LongFork() *fallacy.Checker {
	return &fallacy.Checker{Name: "long-fork", Doc: longForkDoc, Check: checkLongFork}
}

// snapshot is a read of a group: which of its keys, in order, had been written.
type snapshot struct {
	fallacy.Call
	keys []fallacy.MicroOp
	seen int
}

func checkLongFork(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	groups := make(map[string][]snapshot)
	var order []string
	writers := make(map[fallacy.Ident]fallacy.Call)
	examined, reads := 0, 0
	for c := range h.Calls() {
		examined++
		ops, ok := c.Value().Txn()
		if !ok || len(ops) == 0 {
			return fallacy.Finding{}, unexpected(c, "a transaction of one write, or of reads")
		}
		if len(ops) == 1 && ops[0].F == "w" {
			id := ops[0].Key.Ident()
			if w, twice := writers[id]; twice && c.Type() != fallacy.Fail {
				return fallacy.Finding{}, fmt.Errorf("op %d: key %v was written before, by op %d: each key may be written once", opOf(c), ops[0].Key, opOf(w))
			}
			writers[id] = c
			continue
		}
		if c.Type() != fallacy.OK {
			continue
		}
		s, group, err := snapshotOf(c, ops)
		if err != nil {
			return fallacy.Finding{}, err
		}
		if groups[group] == nil {
			order = append(order, group)
		}
		groups[group] = append(groups[group], s)
		reads++
	}
	var found evidence
	for _, group := range order {
		reportForks(&found, groups[group])
	}
	details := map[string]any{"groups": len(groups), "reads": reads, "anomalies": found.totals}
	return unless(found.finding(examined, details), reads > 0, "no read of a group succeeded"), ctx.Err()
}

func snapshotOf(c fallacy.Call, ops []fallacy.MicroOp) (s snapshot, group string, err error) {
	s = snapshot{Call: c, keys: slices.SortedFunc(slices.Values(ops), func(a, b fallacy.MicroOp) int {
		return strings.Compare(a.Key.String(), b.Key.String())
	})}
	var name strings.Builder
	for _, op := range s.keys {
		if op.F != "r" {
			return s, "", unexpected(c, "a transaction of one write, or of reads")
		}
		if !op.Value.IsNil() {
			s.seen++
		}
		name.WriteString(op.Key.String())
		name.WriteByte(' ')
	}
	return s, name.String(), nil
}

// reportForks goes through a group's reads by how much they have seen: each must
// have seen all that the one before it has.
func reportForks(found *evidence, reads []snapshot) {
	slices.SortStableFunc(reads, func(a, b snapshot) int { return cmp.Compare(a.seen, b.seen) })
	for i := 1; i < len(reads); i++ {
		a, b := reads[i-1], reads[i]
		if onlyA, ok := seenByFirst(a, b); ok {
			onlyB, _ := seenByFirst(b, a)
			found.add("long fork", []fallacy.Call{a.Call, b.Call},
				"process %d's read (op %d) has key %v and lacks key %v, process %d's read (op %d) has key %v and lacks key %v",
				a.Invoke.Process, opOf(a.Call), onlyA, onlyB, b.Invoke.Process, opOf(b.Call), onlyB, onlyA)
		}
	}
}

// seenByFirst returns a key that a has seen written and b has not.
func seenByFirst(a, b snapshot) (key fallacy.Value, ok bool) {
	for i := range a.keys {
		if !a.keys[i].Value.IsNil() && b.keys[i].Value.IsNil() {
			return a.keys[i].Key, true
		}
	}
	return key, false
}
