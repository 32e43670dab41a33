package checkers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
)

// shelf returns the checkers that the scripts in testdata may name.
func shelf(faults []string) map[string]*fallacy.Checker {
	byName := make(map[string]*fallacy.Checker)
	for _, c := range checkers.All() {
		byName[c.Name] = c
	}
	byName["coverage"] = checkers.Coverage(faults)
	return byName
}

// strict returns the checkers that claim more than the usual ones.
func strict() map[string]*fallacy.Checker {
	byName := make(map[string]*fallacy.Checker)
	for _, c := range []*fallacy.Checker{
		checkers.SetFullWith(true), checkers.UniqueIDsWith(true), checkers.LeaderWith(true), checkers.AvailabilityWith(0.6),
		checkers.Convergence(2 * time.Millisecond), checkers.Deadlines(checkers.DeadlineOptions{Within: 2 * time.Millisecond}),
		checkers.BankWith(checkers.BankOptions{Total: 10, Accounts: []fallacy.Value{fallacy.String("a"), fallacy.String("b")}}),
	} {
		byName[c.Name] = c
	}
	return byName
}

// TestScripts judges the histories in testdata: the directive names the checker,
// what it found stands below. Run with -rewrite, then read the difference.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var faults []string
			for _, a := range d.CmdArgs {
				if a.Key == "faults" {
					faults = a.Vals
				}
			}
			c := shelf(faults)[d.Cmd]
			if d.HasArg("strict") {
				c = strict()[d.Cmd]
			}
			if c == nil {
				d.Fatalf(t, "no checker %q", d.Cmd)
			}
			h, err := script.History(d.Input)
			if err != nil {
				d.Fatalf(t, "reading the history: %v", err)
			}
			j := checkers.Judge(t.Context(), h, []*fallacy.Checker{c}, checkers.Options{})[0]
			out := script.Finding(j.Finding)
			if d.HasArg("details") {
				out += details(t, j.Finding)
			}
			return out
		})
	})
}

func TestDocs(t *testing.T) {
	all := shelf(nil)
	if len(all) != len(checkers.All()) {
		t.Errorf("%d names for %d checkers", len(all), len(checkers.All()))
	}
	for name, c := range all {
		title, rest, ok := strings.Cut(c.Doc, "\n\n")
		if !ok || len(title) > 80 || strings.HasSuffix(title, ".") || title[0] < 'a' || title[0] > 'z' {
			t.Errorf("%s: title is %q, want one line without capital or period", name, title)
		}
		if !strings.Contains(rest, "Source:") {
			t.Errorf("%s: the Doc names no source", name)
		}
	}
}
