package main

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
)

// Gapless finds numbers that were never given out. Tax offices care; none of
// fallacy's own checkers does.
var Gapless = &fallacy.Checker{
	Name: "gapless",
	Doc: `invoice numbers have no gaps

Below the highest number that was given out, a number may be missing for each
call whose outcome is not known, and for no other reason.`,
	Check: gapless,
}

func gapless(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	finding := fallacy.Finding{Verdict: fallacy.Valid}
	given := make(map[int][]int) // the ops by which a number was given out
	doubts, highest := 0, 0
	for call := range h.Calls() {
		if call.Invoke.F != "generate" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fallacy.Finding{}, err
		}
		finding.Examined++
		number, ok := call.Value().Int()
		switch {
		case call.Type() == fallacy.Info:
			doubts++
		case call.Type() == fallacy.OK && ok:
			given[number] = call.Ops()
			highest = max(highest, number)
		}
	}
	missing := 0
	for number := 1; number <= highest; number++ {
		if given[number] != nil {
			continue
		}
		if missing++; missing > doubts {
			finding.Verdict = fallacy.Invalid
			finding.Anomalies = append(finding.Anomalies, fallacy.Anomaly{
				Name: "gap",
				Why:  fmt.Sprintf("%d was given out and %d never was, nor could it have been by one of the %d calls in doubt", highest, number, doubts),
				Ops:  given[highest],
			})
			break
		}
	}
	if finding.Examined == 0 {
		return fallacy.Finding{Reason: "no number was asked for"}, nil
	}
	return finding, nil
}
