package checkers

import (
	"cmp"
	"context"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const counterDoc = `every read of the counter can be explained by the adds

For a counter that starts at 0, with add and read:

  out of bounds    a read is below the sum of all that had certainly been added
                   before it was invoked, or above the sum of all that may have
                   been added before it completed
  nonlinearizable  each read is within its bounds and yet no order of the calls
                   explains all of them: a later read is lower, or more or fewer
                   adds than the reads show must have fallen between them

Bounds are checked for any deltas, negative ones too. The second check is exact
if every delta is 1: then a pass means that the history is linearizable. For
other deltas it is left out, since that is a subset-sum problem.

Source: Jepsen's counter checker for the bounds; the exact check is a schedule of
unit jobs, by earliest deadline first.`

// Counter returns the checker of a counter: add and read.
func Counter() *fallacy.Checker {
	return &fallacy.Checker{Name: "counter", Doc: counterDoc, Check: checkCounter}
}

// delta is an add that may have happened.
type delta struct {
	fallacy.Call
	by int
}

// total is a read that was answered ok.
type total struct {
	fallacy.Call
	value int
}

func checkCounter(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	var adds []delta
	var reads []total
	examined := 0
	for c := range h.Calls() {
		examined++
		n, isInt := c.Value().Int()
		switch {
		case c.Invoke.F != "add" && c.Invoke.F != "read":
			return fallacy.Finding{}, unexpected(c, "add or read")
		case c.Type() == fallacy.Fail || c.Invoke.F == "read" && c.Type() != fallacy.OK:
		case c.Invoke.F == "read" && isInt:
			reads = append(reads, total{c, n})
		case c.Invoke.F == "add" && addedBy(c, &n):
			adds = append(adds, delta{c, n})
		default:
			return fallacy.Finding{}, unexpected(c, "a whole number")
		}
	}
	var found evidence
	checkBounds(&found, adds, reads)
	if len(found.anomalies) == 0 && allOnes(adds) {
		checkUnits(&found, adds, reads)
	}
	details := map[string]any{"adds": len(adds), "reads": len(reads), "exact": allOnes(adds), "anomalies": found.totals}
	finding := found.finding(examined, details)
	if finding.Verdict == fallacy.Valid && len(reads) == 0 {
		finding.Verdict, finding.Reason = fallacy.Unknown, "no read of the counter succeeded"
	}
	return finding, ctx.Err()
}

// addedBy sets n to the delta that an add asked for, whatever its answer carries.
func addedBy(c fallacy.Call, n *int) (ok bool) {
	*n, ok = c.Invoke.Value.Int()
	return ok
}

func allOnes(adds []delta) bool {
	return !slices.ContainsFunc(adds, func(d delta) bool { return d.by != 1 })
}

// signed is two sums, of what is above zero and of what is below.
type signed struct{ ups, downs int }

func (s *signed) add(n int) {
	s.ups += max(0, n)
	s.downs += min(0, n)
}

// checkBounds holds each read against the least and the most that can have been
// added. Adds come by invocation.
func checkBounds(found *evidence, adds []delta, reads []total) {
	byEnd := slices.SortedFunc(slices.Values(adds), func(a, b delta) int { return cmp.Compare(endOf(a.Call), endOf(b.Call)) })
	certain := make([]signed, len(reads)) // what ended before each read was invoked
	var sum signed
	for i, next := 0, 0; i < len(reads); i++ {
		for ; next < len(byEnd) && endOf(byEnd[next].Call) < reads[i].Invoke.Index; next++ {
			sum.add(byEnd[next].by)
		}
		certain[i] = sum
	}
	order := make([]int, len(reads)) // of the reads, by completion
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(reads[a].Complete.Index, reads[b].Complete.Index) })
	var possible signed // what began before the read completed
	next := 0
	for _, i := range order {
		for ; next < len(adds) && adds[next].Invoke.Index < reads[i].Complete.Index; next++ {
			possible.add(adds[next].by)
		}
		reportBounds(found, reads[i], certain[i].ups+possible.downs, possible.ups+certain[i].downs)
	}
}

func reportBounds(found *evidence, r total, low, high int) {
	switch {
	case r.value < low:
		found.add("out of bounds", []fallacy.Call{r.Call},
			"process %d read %d (op %d), and at least %d had been added by adds acknowledged before op %d",
			r.Invoke.Process, r.value, opOf(r.Call), low, r.Invoke.Index)
	case r.value > high:
		found.add("out of bounds", []fallacy.Call{r.Call},
			"process %d read %d (op %d), and at most %d can have been added by adds begun before op %d",
			r.Invoke.Process, r.value, opOf(r.Call), high, opOf(r.Call))
	}
}
