package conduct

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/nemesis"
	"github.com/fallacy-dev/fallacy/results"
)

// General are the checkers that judge every run, under faults by these names.
func General(faults []string) []*fallacy.Checker {
	return []*fallacy.Checker{checkers.Coverage(faults), checkers.Stats(), checkers.Recovery()}
}

// Judge lets all judge the history in dir, and writes down what they find.
func Judge(ctx context.Context, run results.Run, dir *results.Dir, all []*fallacy.Checker) (results.Run, error) {
	h, damage, err := dir.History()
	if err != nil {
		return run, err
	}
	plan, err := nemesis.PlanOf(h, run.Seed, run.Time)
	if err != nil {
		return run, err
	}
	run = JudgeHistory(ctx, run, h, all)
	if damage != nil {
		run.Reason = strings.TrimSpace(damage.String() + "; " + run.Reason)
		run.Verdict = fallacy.Worse(run.Verdict, fallacy.Unknown)
	}
	return run, errors.Join(dir.SaveJSON("plan.json", plan), dir.SaveRun(run), dir.WriteReport(run, h))
}

// JudgeHistory returns run with the verdict and the findings of all on h.
func JudgeHistory(ctx context.Context, run results.Run, h fallacy.History, all []*fallacy.Checker) results.Run {
	judgements := checkers.Judge(ctx, h, all, checkers.Options{})
	run.Verdict, run.Reason, run.Findings, run.Ops = checkers.Overall(judgements), "", nil, results.Count(h)
	for _, j := range judgements {
		run.Findings = append(run.Findings, results.Finding{Checker: j.Checker, Title: j.Title, Finding: j.Finding, Took: j.Took})
		if j.Finding.Verdict == fallacy.Unknown && run.Reason == "" {
			run.Reason = fmt.Sprintf("%s cannot tell: %s", j.Checker, j.Finding.Reason)
		}
	}
	return run
}
