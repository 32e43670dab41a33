package checkers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

const coverageDoc = `nothing passes by not having been tried

Valid means that a pass by the other checkers means something: at least one
operation succeeded, every function that was invoked succeeded at least once,
and every fault that was asked for took effect at least once while clients
invoked operations. Otherwise the verdict is unknown, and the reason names all
that was lacking. It is never invalid.

A fault took effect when an inject completed without error. Whether that is so
is what the fault's own verification found; this checker takes its word for it.
A fault's name stands for all of its variants: partition for partition:halves.

It cannot see whether the operations were of a kind that the fault could have
harmed.

Source: Jepsen's stats checker, which asks the first two of these questions.`

// Coverage returns the checker of whether anything was tried at all. Faults are
// the names of the nemeses that were asked for.
func Coverage(faults []string) *fallacy.Checker {
	faults = slices.Clone(faults)
	return &fallacy.Checker{
		Name: "coverage",
		Doc:  coverageDoc,
		Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			return checkCoverage(h, faults), ctx.Err()
		},
	}
}

// tried is how often something was asked for and how often it worked.
type tried struct {
	Asked  int `json:"asked"`
	Worked int `json:"worked"`
}

// coverage is the details of its finding.
type coverage struct {
	Functions map[string]tried `json:"functions"`
	Faults    map[string]tried `json:"faults,omitempty"`
}

func checkCoverage(h fallacy.History, faults []string) fallacy.Finding {
	details := coverage{Functions: make(map[string]tried), Faults: make(map[string]tried)}
	var invoked []int
	succeeded := 0
	for c := range h.Calls() {
		invoked = append(invoked, c.Invoke.Index)
		f := details.Functions[c.Invoke.F]
		f.Asked++
		if c.Type() == fallacy.OK {
			f.Worked++
			succeeded++
		}
		details.Functions[c.Invoke.F] = f
	}
	var lacks []string
	if len(invoked) == 0 {
		lacks = append(lacks, "no operation was invoked")
	} else if succeeded == 0 {
		lacks = append(lacks, "no operation succeeded")
	}
	lacks = append(lacks, idleFunctions(details.Functions)...)
	open := windows(h)
	for _, name := range faults {
		t, lack := faultTried(name, open, invoked)
		details.Faults[name] = t
		if lack != "" {
			lacks = append(lacks, lack)
		}
	}
	finding := fallacy.Finding{Verdict: fallacy.Valid, Examined: len(invoked), Details: details}
	if len(lacks) > 0 {
		finding.Verdict, finding.Reason = fallacy.Unknown, strings.Join(lacks, "; ")
	}
	return finding
}

// idleFunctions says which functions never succeeded.
func idleFunctions(functions map[string]tried) []string {
	var lacks []string
	for f, t := range functions {
		if t.Worked == 0 {
			lacks = append(lacks, fmt.Sprintf("%s never succeeded in %d calls", f, t.Asked))
		}
	}
	slices.Sort(lacks)
	return lacks
}

// faultTried counts how often a fault was injected and how often it took effect
// while operations were invoked, and says what was lacking.
func faultTried(name string, open []window, invoked []int) (t tried, lack string) {
	trouble := ""
	quiet := false
	for _, w := range open {
		if w.nemesis != name && !strings.HasPrefix(w.nemesis, name+":") {
			continue
		}
		t.Asked++
		at, _ := slices.BinarySearch(invoked, w.from)
		switch {
		case w.err != "":
			trouble = w.err
		case at == len(invoked) || invoked[at] > w.to:
			quiet = true
		default:
			t.Worked++
		}
	}
	switch {
	case t.Worked > 0:
		return t, ""
	case t.Asked == 0:
		return t, fmt.Sprintf("fault %s was never injected", name)
	case quiet:
		return t, fmt.Sprintf("no operation was invoked while fault %s was in force", name)
	}
	return t, fmt.Sprintf("fault %s never took effect: %s", name, trouble)
}
