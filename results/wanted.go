package results

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// wantedBy returns what tells the runs that a query asks for: those of a target, a
// workload, a fault (by its name, or by what stands before the colon), a verdict,
// and with all words of a text in what is said of them. What is not asked for does
// not matter.
func wantedBy(q url.Values) (func(Summary) bool, error) {
	for name := range q {
		if !slices.Contains([]string{"target", "workload", "fault", "verdict", "search"}, name) {
			return nil, fmt.Errorf("nothing is known of %q: ask by target, workload, fault, verdict or search", name)
		}
	}
	verdict := q.Get("verdict")
	if !slices.Contains([]string{"", "valid", "invalid", "unknown"}, verdict) {
		return nil, fmt.Errorf("verdict is %q: say valid, invalid or unknown", verdict)
	}
	is := func(want, got string) bool { return want == "" || want == got }
	fault, words := q.Get("fault"), strings.Fields(strings.ToLower(q.Get("search")))
	return func(s Summary) bool {
		return is(q.Get("target"), s.Target) && is(q.Get("workload"), s.Workload) && is(verdict, s.Verdict.String()) &&
			(fault == "" || slices.ContainsFunc(s.Faults, func(f string) bool { return f == fault || strings.HasPrefix(f, fault+":") })) &&
			!slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(strings.ToLower(s.said()), word) })
	}, nil
}

// said is what a search looks through.
func (s Summary) said() string {
	return strings.Join(append([]string{s.Path, s.Name, s.Bug, s.Verdict.String(), s.Reason, fmtUint(s.Seed)}, slices.Concat(s.Anomalies, s.Faults)...), " ")
}
