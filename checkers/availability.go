package checkers

import (
	"context"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const availabilityDoc = `what share of operations succeeded on each node under each fault

For each fault, and for the time when none was in force, and for each node that
clients talked to: how many of the operations that were invoked then succeeded,
failed, or are in doubt, and the share that succeeded. This is what CAP is about: what
a partition leaves of the service, on which side of it.

  unavailable  the share on a node under a fault is below the one that was claimed

Nothing is claimed unless it is stated: then it is never invalid. A compare-and-set
that is refused counts as failed, although the node did answer: give workloads
of reads and writes a claim. Faults in force at one time each count.

A fault is in force from the completion of its inject to the invocation of its heal.

Source: Gilbert and Lynch, Brewer's Conjecture, 2002, for availability: every request
to a node that is up gets an answer.`

// Availability returns the checker that tells the shares and claims nothing.
func Availability() *fallacy.Checker { return AvailabilityWith(0) }

// AvailabilityWith returns the checker that claims that at least the given share
// of operations, from 0 to 1, succeeds on every node under every fault.
func AvailabilityWith(least float64) *fallacy.Checker {
	return &fallacy.Checker{Name: "availability", Doc: availabilityDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		return checkAvailability(ctx, h, least)
	}}
}

// Calm is the name of the time when no fault was in force, in [Shares].
const Calm = "calm"

// Share is how operations ended, and what share succeeded.
type Share struct {
	Counts
	Share float64 `json:"share"`
	first fallacy.Call
}

// Shares is the details of what [Availability] finds: by fault, by node. The node
// is "" where it is not known.
type Shares map[string]map[string]*Share

func checkAvailability(ctx context.Context, h fallacy.History, least float64) (fallacy.Finding, error) {
	shares := make(Shares)
	force := inForceByName(windows(h))
	examined := 0
	for c := range h.Calls() {
		examined++
		names := force(c.Invoke.Index)
		if len(names) == 0 {
			names = []string{Calm}
		}
		for _, name := range names {
			shares.of(name, nodeOf(c)).add(c)
		}
	}
	var found evidence
	for _, fault := range sortedKeys(shares) {
		for _, node := range sortedKeys(shares[fault]) {
			s := shares[fault][node]
			n := s.OK + s.Fail + s.Info
			if s.Share = float64(s.OK) / float64(n); s.Share < least && fault != Calm {
				found.add("unavailable", []fallacy.Call{s.first}, "of %d operations on node %s under %s %d succeeded, which is %.3f, and %.3f is claimed; the first that did not is op %d",
					n, node, fault, s.OK, s.Share, least, opOf(s.first))
			}
		}
	}
	return found.finding(examined, shares), ctx.Err()
}

func (s Shares) of(fault, node string) *Share {
	if s[fault] == nil {
		s[fault] = make(map[string]*Share)
	}
	if s[fault][node] == nil {
		s[fault][node] = new(Share)
	}
	return s[fault][node]
}

func (s *Share) add(c fallacy.Call) {
	s.count(c.Type())
	if c.Type() != fallacy.OK && s.first.Invoke == nil {
		s.first = c
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// inForceByName returns a function that names the faults in force at an index,
// each once. It must be asked about indexes in ascending order.
func inForceByName(all []window) func(index int) []string {
	byStart := slices.SortedFunc(slices.Values(all), func(a, b window) int { return a.from - b.from })
	var open []window
	next := 0
	return func(index int) []string {
		for ; next < len(byStart) && byStart[next].from < index; next++ {
			if byStart[next].err == "" {
				open = append(open, byStart[next])
			}
		}
		open = slices.DeleteFunc(open, func(w window) bool { return w.to <= index })
		var names []string
		for _, w := range open {
			if !slices.Contains(names, w.nemesis) {
				names = append(names, w.nemesis)
			}
		}
		return names
	}
}
