package checkers

import (
	"context"
	"slices"
	"sort"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const recoveryDoc = `how long each node took to serve again after a heal

For every heal and every node that clients talked to: the time from the heal's
completion until the node first answered ok to an operation that was invoked
after it. A node that never did is named.

It never is invalid: slow is not wrong. Other faults may still have been in
force after a heal; the last heal is the one that counts.

Source: the recovery phase that Jepsen's tests make room for before final reads.`

// Recovery returns the checker that measures how soon nodes serve again.
func Recovery() *fallacy.Checker {
	return &fallacy.Checker{Name: "recovery", Doc: recoveryDoc, Check: checkRecovery}
}

// Heal is how the nodes fared after one heal.
type Heal struct {
	Nemesis string                   `json:"nemesis"`
	Op      int                      `json:"op"`              // the heal's completion
	Nodes   map[string]time.Duration `json:"nodes_ns"`        // from the heal to the first ok
	Never   []string                 `json:"never,omitempty"` // nodes that gave no ok to what was invoked after the heal
	Slowest time.Duration            `json:"slowest_ns"`
}

// Recoveries is the details of what [Recovery] finds.
type Recoveries struct {
	Heals []Heal `json:"heals,omitempty"`
	Last  *Heal  `json:"last,omitempty"`
}

// served is an ok call of a node, and the earliest end among it and all later ones.
type served struct {
	invoked  int
	earliest time.Duration
}

func checkRecovery(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	nodes, examined := servedByNode(h)
	var details Recoveries
	for c := range h.Faults() {
		if c.Invoke.F == "heal" && c.Complete != nil {
			details.Heals = append(details.Heals, healed(c, nodes))
		}
	}
	if n := len(details.Heals); n > 0 {
		details.Last = &details.Heals[n-1]
	}
	var none evidence
	return none.finding(examined, details), ctx.Err()
}

func servedByNode(h fallacy.History) (nodes map[string][]served, examined int) {
	nodes = make(map[string][]served)
	for c := range h.Calls() {
		examined++
		node := nodeOf(c)
		if node == "" {
			continue
		}
		calls := nodes[node]
		if c.Type() == fallacy.OK {
			calls = append(calls, served{c.Invoke.Index, c.Complete.Time})
		}
		nodes[node] = calls
	}
	for _, calls := range nodes {
		for i := len(calls) - 2; i >= 0; i-- {
			calls[i].earliest = min(calls[i].earliest, calls[i+1].earliest)
		}
	}
	return nodes, examined
}

func healed(c fallacy.Call, nodes map[string][]served) Heal {
	heal := Heal{Nemesis: c.Invoke.Nemesis, Op: c.Complete.Index, Nodes: make(map[string]time.Duration)}
	for node, calls := range nodes {
		at := sort.Search(len(calls), func(i int) bool { return calls[i].invoked > c.Complete.Index })
		if at == len(calls) {
			heal.Never = append(heal.Never, node)
			continue
		}
		took := calls[at].earliest - c.Complete.Time
		heal.Nodes[node] = took
		heal.Slowest = max(heal.Slowest, took)
	}
	slices.Sort(heal.Never)
	return heal
}
