package linearizable_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

// shelf is every checker of this package.
func shelf() []*fallacy.Checker {
	all := []*fallacy.Checker{linearizable.Register(), linearizable.Versioned(true), linearizable.Elements()}
	for _, m := range []linearizable.Model{
		linearizable.CASRegister, linearizable.Counter, linearizable.Set, linearizable.Queue, linearizable.Mutex, linearizable.ElementModel,
	} {
		all = append(all, linearizable.Check(m))
	}
	return all
}

// TestScripts judges the histories in testdata: the directive names the checker.
// With refused, a failed cas that tells nothing counts as refused. Run with
// -rewrite, then read the difference.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			all := shelf()
			at := slices.IndexFunc(all, func(c *fallacy.Checker) bool { return c.Name == d.Cmd })
			if at < 0 {
				d.Fatalf(t, "no checker %q", d.Cmd)
			}
			c := all[at]
			if d.HasArg("refused") {
				c = linearizable.RegisterWith(linearizable.Options{Refused: func(op fallacy.Op) bool { return op.Error == "refused" }})
			}
			if d.HasArg("gaps") {
				c = linearizable.Versioned(false)
			}
			h, err := script.History(d.Input)
			if err != nil {
				d.Fatalf(t, "reading the history: %v", err)
			}
			f, err := c.Check(t.Context(), h)
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			return script.Finding(f)
		})
	})
}

func TestDocs(t *testing.T) {
	for _, c := range shelf() {
		title, rest, ok := strings.Cut(c.Doc, "\n\n")
		if !ok || len(title) > 80 || strings.HasSuffix(title, ".") || title[0] < 'a' || title[0] > 'z' {
			t.Errorf("%s: title is %q, want one line without capital or period", c.Name, title)
		}
		if !strings.Contains(rest, "Source:") {
			t.Errorf("%s: the Doc names no source", c.Name)
		}
	}
}
