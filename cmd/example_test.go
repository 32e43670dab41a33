package cmd_test

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/cmd"
)

// A command with a checker of one's own calls cmd.Main with this catalogue.
func ExampleCatalogue() {
	catalogue := cmd.Builtin()
	catalogue.Checkers = append(catalogue.Checkers, &fallacy.Checker{
		Name: "small-values",
		Doc:  "no value is above a thousand\n\nJust an example.",
		Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			finding := fallacy.Finding{Verdict: fallacy.Valid}
			for call := range h.Calls() {
				finding.Examined++
				if n, ok := call.Value().Int(); ok && n > 1000 {
					finding.Verdict = fallacy.Invalid
					finding.Anomalies = append(finding.Anomalies, fallacy.Anomaly{
						Name: "large value", Why: fmt.Sprintf("process %d saw %d", call.Invoke.Process, n), Ops: call.Ops(),
					})
				}
			}
			return finding, nil
		},
	})
	fmt.Println(catalogue.Validate())
	// Output: <nil>
}
