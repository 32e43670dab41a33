package checkers

import (
	"context"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const deadlinesDoc = `every operation is answered within a stated time

  deadline missed  a call was answered later than the stated time after it was
                   invoked, or was not answered at all although the history goes on
                   for longer than that

An answer counts whatever it says; that a call was given up, info, counts if it was
given up too late. Calls that ran while a fault was in force, at any time between
their invocation and their end, are counted apart, and are anomalies only if the
time is claimed under faults too. The details give, for both, quantiles by function.

It measures from the client: the client's own delays are in it, and those of
the machine that it runs on.

Source: the latency checks that users of Jepsen write over its perf plots.`

// DeadlineOptions say what is claimed of the time to an answer.
type DeadlineOptions struct {
	Within time.Duration // 0: one second
	Faulty bool          // under faults too
}

// Deadlines returns the checker of the time to an answer.
func Deadlines(options DeadlineOptions) *fallacy.Checker {
	if options.Within <= 0 {
		options.Within = time.Second
	}
	return &fallacy.Checker{Name: "deadlines", Doc: deadlinesDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		return checkDeadlines(ctx, h, options)
	}}
}

// Punctuality is the details of what [Deadlines] finds.
type Punctuality struct {
	Within       time.Duration      `json:"within_ns"`
	Missed       int                `json:"missed"` // with no fault in force
	MissedFaulty int                `json:"missed_under_faults"`
	Calm         map[string]Latency `json:"calm"` // by function
	Faulty       map[string]Latency `json:"faulty"`
}

func checkDeadlines(ctx context.Context, h fallacy.History, options DeadlineOptions) (fallacy.Finding, error) {
	var found evidence
	details := Punctuality{Within: options.Within}
	calm, faulty := make(map[string][]time.Duration), make(map[string][]time.Duration)
	all := windows(h)
	examined := 0
	for c := range h.Calls() {
		examined++
		last, answered := &h[len(h)-1], c.Complete != nil
		if answered {
			last = c.Complete
		}
		took := last.Time - c.Invoke.Time
		under := meets(all, c.Invoke.Index, last.Index)
		if answered && under {
			faulty[c.Invoke.F] = append(faulty[c.Invoke.F], took)
		} else if answered {
			calm[c.Invoke.F] = append(calm[c.Invoke.F], took)
		}
		if took <= options.Within {
			continue
		}
		if under {
			details.MissedFaulty++
		} else {
			details.Missed++
		}
		if under && !options.Faulty {
			continue
		}
		how := "was answered after"
		if !answered {
			how = "had not been answered after"
		}
		found.add("deadline missed", []fallacy.Call{c}, "process %d's %s (op %d) %s %v, and %v is claimed",
			c.Invoke.Process, c.Invoke.F, opOf(c), how, took, options.Within)
	}
	details.Calm, details.Faulty = latencies(calm), latencies(faulty)
	return found.finding(examined, details), ctx.Err()
}

func latencies(took map[string][]time.Duration) map[string]Latency {
	all := make(map[string]Latency, len(took))
	for f, durations := range took {
		all[f] = latencyOf(durations)
	}
	return all
}

// meets tells whether a fault was in force at any time between two ops.
func meets(all []window, from, to int) bool {
	for _, w := range all { // faults are few
		if w.from < to && w.to > from {
			return true
		}
	}
	return false
}
