package cmd

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/results"
)

// anomaliesShown is how many anomalies of a checker are printed; the report has them all.
const anomaliesShown = 3

// summarize prints what a run came to, for people.
func summarize(w io.Writer, run results.Run, dir string) {
	for _, f := range run.Findings {
		if f.Verdict == fallacy.Valid {
			continue
		}
		if f.Verdict == fallacy.Unknown {
			fmt.Fprintf(w, "%s cannot tell: %s\n", f.Checker, f.Reason)
		}
		for i, a := range f.Anomalies {
			if i == anomaliesShown {
				fmt.Fprintf(w, "  and %d more\n", len(f.Anomalies)-i)
				break
			}
			fmt.Fprintf(w, "%s: %s\n  ops %s\n", a.Name, a.Why, strings.Trim(fmt.Sprint(a.Ops), "[]"))
		}
	}
	fmt.Fprintf(w, "%s: %s", run.Verdict, run.Name)
	if run.Bug != "" {
		fmt.Fprintf(w, " with bug %s", run.Bug)
	}
	fmt.Fprintf(w, ", %d operations (%d ok, %d fail, %d info)", run.Ops.Invoked, run.Ops.OK, run.Ops.Fail, run.Ops.Info)
	if dir != "" {
		fmt.Fprintf(w, ", seed %d, %v", run.Seed, run.Took.Round(100*time.Millisecond))
	}
	fmt.Fprintln(w)
	if run.Reason != "" && run.Verdict != fallacy.Valid {
		fmt.Fprintln(w, run.Reason)
	}
	if dir != "" {
		fmt.Fprintln(w, filepath.Join(dir, "report.html"))
	}
}
