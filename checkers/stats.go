package checkers

import (
	"context"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const statsDoc = `how many operations succeeded, failed, or are in doubt

Counts of ok, fail and info by function and by node, all in all and apart for
the calls that were invoked while a fault was in force; latencies of the calls
that were answered ok or fail, by function, as quantiles.

It proves nothing but that something was tried: valid whenever a client invoked
an operation, unknown otherwise, never invalid. A call that was never answered
counts as info. A fault is in force from the completion of its inject to the
invocation of its heal.

Source: Jepsen's stats and perf checkers.`

// Stats returns the checker that counts.
func Stats() *fallacy.Checker {
	return &fallacy.Checker{Name: "stats", Doc: statsDoc, Check: checkStats}
}

// Counts is how calls ended.
type Counts struct {
	OK   int `json:"ok"`
	Fail int `json:"fail"`
	Info int `json:"info"`
}

// Tally is how calls ended, in all and apart for those invoked under a fault.
type Tally struct {
	Counts
	Calm   Counts `json:"calm"`
	Faulty Counts `json:"faulty"`
}

// Latency is quantiles of how long calls took to be answered.
type Latency struct {
	Median time.Duration `json:"p50_ns"`
	P95    time.Duration `json:"p95_ns"`
	P99    time.Duration `json:"p99_ns"`
	Max    time.Duration `json:"max_ns"`
}

// Statistics is the details of what [Stats] finds.
type Statistics struct {
	All       Tally              `json:"all"`
	Functions map[string]*Tally  `json:"functions"`
	Nodes     map[string]*Tally  `json:"nodes,omitempty"`
	Latency   map[string]Latency `json:"latency"` // by function
}

func checkStats(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	stats := Statistics{Functions: make(map[string]*Tally), Nodes: make(map[string]*Tally)}
	took := make(map[string][]time.Duration)
	faulty := inForce(windows(h))
	examined := 0
	for c := range h.Calls() {
		examined++
		under := faulty(c.Invoke.Index)
		stats.All.count(c.Type(), under)
		tally(stats.Functions, c.Invoke.F).count(c.Type(), under)
		if node := nodeOf(c); node != "" {
			tally(stats.Nodes, node).count(c.Type(), under)
		}
		if end, ok := c.End(); ok {
			took[c.Invoke.F] = append(took[c.Invoke.F], end-c.Invoke.Time)
		}
	}
	stats.Latency = make(map[string]Latency, len(took))
	for f, durations := range took {
		stats.Latency[f] = latencyOf(durations)
	}
	var none evidence
	return none.finding(examined, stats), ctx.Err()
}

// nodeOf returns the node that a call was put to.
func nodeOf(c fallacy.Call) string {
	if c.Complete != nil && c.Complete.Node != "" {
		return c.Complete.Node
	}
	return c.Invoke.Node
}

func tally(tallies map[string]*Tally, name string) *Tally {
	t := tallies[name]
	if t == nil {
		t = new(Tally)
		tallies[name] = t
	}
	return t
}

func (t *Tally) count(end fallacy.Type, faulty bool) {
	t.Counts.count(end)
	if faulty {
		t.Faulty.count(end)
	} else {
		t.Calm.count(end)
	}
}

func (c *Counts) count(end fallacy.Type) {
	switch end {
	case fallacy.OK:
		c.OK++
	case fallacy.Fail:
		c.Fail++
	default:
		c.Info++
	}
}

// latencyOf sorts the durations.
func latencyOf(durations []time.Duration) Latency {
	slices.Sort(durations)
	at := func(q float64) time.Duration { return durations[int(q*float64(len(durations)-1))] }
	return Latency{Median: at(0.5), P95: at(0.95), P99: at(0.99), Max: at(1)}
}
