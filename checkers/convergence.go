package checkers

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const convergenceDoc = `when all is quiet, all replicas come to agree within a stated time

For replicas that are read one by one: read completes with what the op's node has,
of one key if its value is [k, null], and then with [k, value]. Everything else that
clients do counts as a write. All is quiet from the last end of a write or of a
heal on; a write of unknown outcome ends when its outcome was given up.

  diverged  two reads, both invoked when the stated time had passed since all was
            quiet, saw different values of one key

The details say after how long the last read differed from what was seen in the
end. The verdict is unknown unless some key was read on two nodes after that time.

Lists are compared as they stand: have the client sort the elements of a set. It
cannot see writes that take effect after they were given up.

Source: Vogels, Eventually Consistent, 2009; the final reads of Jepsen's tests.`

// Convergence returns the checker of agreement within the given time after all
// writes and faults have ended.
func Convergence(within time.Duration) *fallacy.Checker {
	return &fallacy.Checker{Name: "convergence", Doc: convergenceDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		return checkConvergence(ctx, h, within)
	}}
}

// replicaRead is what a node showed of a key.
type replicaRead struct {
	fallacy.Call
	key   fallacy.Ident
	value fallacy.Value
	node  string
}

// Agreement is the details of what [Convergence] finds.
type Agreement struct {
	Keys      int            `json:"keys"`  // that two nodes or more showed in the end
	Nodes     []string       `json:"nodes"` // that were read in the end
	Quiet     time.Duration  `json:"quiet_ns"`
	Agreed    time.Duration  `json:"agreed_after_ns"` // since then, the last read that differed from the end
	Anomalies map[string]int `json:"anomalies,omitempty"`
}

func checkConvergence(ctx context.Context, h fallacy.History, within time.Duration) (fallacy.Finding, error) {
	var reads []replicaRead
	var details Agreement
	examined := 0
	for c := range h.Calls() {
		examined++
		switch {
		case c.Invoke.F != "read":
			last := c.Invoke
			if c.Complete != nil {
				last = c.Complete
			}
			details.Quiet = max(details.Quiet, last.Time)
		case c.Type() == fallacy.OK:
			r := replicaRead{Call: c, value: c.Value(), node: nodeOf(c)}
			key, _, asked := c.Invoke.Value.Tuple()
			if k, v, ok := c.Value().Tuple(); asked && ok && k.Equal(key) {
				r.key, r.value = k.Ident(), v
			}
			reads = append(reads, r)
		}
	}
	for c := range h.Faults() {
		if c.Complete != nil {
			details.Quiet = max(details.Quiet, c.Complete.Time)
		}
	}
	var found evidence
	details.agree(&found, reads, within)
	details.Anomalies = found.totals
	return unless(found.finding(examined, details), details.Keys > 0, "no key was read on two nodes after all had been quiet for the stated time"), ctx.Err()
}

// agree compares the reads of the end, key by key.
func (a *Agreement) agree(found *evidence, reads []replicaRead, within time.Duration) {
	final := make(map[fallacy.Ident]replicaRead)
	nodes := make(map[fallacy.Ident]map[string]bool)
	for _, r := range reads {
		if r.Invoke.Time <= a.Quiet+within {
			continue
		}
		if !slices.Contains(a.Nodes, r.node) {
			a.Nodes = append(a.Nodes, r.node)
		}
		if nodes[r.key] == nil {
			nodes[r.key] = make(map[string]bool)
			final[r.key] = r
		}
		nodes[r.key][r.node] = true
		if first := final[r.key]; !first.value.Equal(r.value) {
			found.add("diverged", []fallacy.Call{first.Call, r.Call}, "%v after all was quiet, node %s shows %s (op %d), and node %s shows %s (op %d)",
				r.Invoke.Time-a.Quiet, first.node, short(first.value), opOf(first.Call), r.node, short(r.value), opOf(r.Call))
		}
	}
	for _, seen := range nodes {
		if len(seen) > 1 {
			a.Keys++
		}
	}
	for _, r := range reads {
		if last, ok := final[r.key]; ok && r.Invoke.Time > a.Quiet && !last.value.Equal(r.value) {
			a.Agreed = max(a.Agreed, r.Invoke.Time-a.Quiet)
		}
	}
	slices.Sort(a.Nodes)
}

// short returns a value's JSON form, cut off where nobody would read on.
func short(v fallacy.Value) string {
	const most = 60
	text := v.String()
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
