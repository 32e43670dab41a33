package fallacytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Case is a history with what a checker must say of it.
type Case struct {
	Name    string
	History string          // as [History] reads it
	Want    fallacy.Verdict // Valid, Invalid, or Unknown
	Anomaly string          // of an Invalid one, the name of an anomaly that must be among those found; empty: any
}

// patience bounds how long a checker may go on after it was told to stop, or at
// all with a small history.
const patience = 30 * time.Second

// crowd is how many ops the history has that a checker is told to stop at.
const crowd = 100_000

// Checker fails t unless c can be trusted: it catches the bug of each Invalid
// case, of which there must be one, and forgives the Valid ones, the near misses,
// of which there must be one as well; it does not call an empty history valid,
// leaves histories as they are, says the same twice, stops when its context is
// done, names ops that are there, and has a manual page.
func Checker(t testing.TB, c *fallacy.Checker, cases ...Case) {
	t.Helper()
	for _, p := range checkerProblems(t.Context(), c, cases) {
		t.Error(p)
	}
}

// checkerProblems are the sentences that say what is wrong with c.
func checkerProblems(ctx context.Context, c *fallacy.Checker, cases []Case) (problems []string) {
	if c == nil || c.Check == nil {
		return []string{"there is no checker, or it has no Check"}
	}
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, p := range docProblems(c.Name, c.Doc) {
		complain("checker %s", p)
	}
	if f, err := ask(ctx, c, nil); err == nil && f.Verdict == fallacy.Valid {
		complain("%s calls an empty history valid: where nothing was examined, nothing is known", c.Name)
	}
	for _, want := range []fallacy.Verdict{fallacy.Invalid, fallacy.Valid} {
		if !slices.ContainsFunc(cases, func(one Case) bool { return one.Want == want }) {
			complain("%s has no case that is %s: a checker that never, or always, finds something would pass", c.Name, want)
		}
	}
	for _, one := range cases {
		h, err := History(one.History)
		if err != nil {
			complain("case %q: %v", one.Name, err)
			continue
		}
		for _, p := range caseProblems(ctx, c, one, h) {
			complain("case %q: %s", one.Name, p)
		}
	}
	return problems
}

// docProblems says what is wrong with a manual page.
func docProblems(name, doc string) (problems []string) {
	title, rest, _ := strings.Cut(doc, "\n")
	switch {
	case name == "":
		problems = append(problems, "has no Name")
	case strings.ContainsAny(name, " \t\n/"):
		problems = append(problems, fmt.Sprintf("%q: a name is typed on the command line: no spaces and no slashes", name))
	}
	switch {
	case title == "":
		problems = append(problems, fmt.Sprintf("%q has no title: its Doc begins with a line for lists", name))
	case !strings.HasPrefix(rest, "\n") || strings.TrimSpace(rest) == "":
		problems = append(problems, fmt.Sprintf("%q has a title only: after it, a blank line, and then the manual page", name))
	}
	return problems
}

// caseProblems says what is wrong with the answers of c to one case.
func caseProblems(ctx context.Context, c *fallacy.Checker, one Case, h fallacy.History) (problems []string) {
	before := jsonLines(h)
	f, err := ask(ctx, c, h)
	if err != nil {
		f.Verdict, f.Reason = fallacy.Unknown, err.Error()
	}
	if f.Verdict != one.Want {
		problems = append(problems, fmt.Sprintf("the verdict is %s, want %s: %s", f.Verdict, one.Want, findingText(f)))
	}
	if one.Anomaly != "" && !slices.ContainsFunc(f.Anomalies, func(a fallacy.Anomaly) bool { return a.Name == one.Anomaly }) {
		problems = append(problems, fmt.Sprintf("there is no anomaly %q among: %s", one.Anomaly, findingText(f)))
	}
	problems = append(problems, findingProblems(f, len(h))...)
	if !bytes.Equal(before, jsonLines(h)) {
		problems = append(problems, "the history is another one afterwards: other checkers read it too")
	}
	again, err := ask(ctx, c, h)
	if err != nil {
		again.Verdict, again.Reason = fallacy.Unknown, err.Error()
	}
	if a, b := findingText(f), findingText(again); a != b {
		problems = append(problems, fmt.Sprintf("asked twice, it says first\n\t%s\nand then\n\t%s", a, b))
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	late, err := ask(stopped, c, multiplied(h))
	if err == nil && late.Verdict == fallacy.Valid && one.Want == fallacy.Invalid {
		problems = append(problems, "told to stop, it says valid of what is not: return the context's error")
	} else if _, gaveUp := err.(*tooLate); gaveUp {
		problems = append(problems, fmt.Sprintf("told to stop, it goes on for more than %v: ask ctx.Err() now and then", patience))
	}
	return problems
}

// findingProblems says what is wrong with a finding about a history of n ops.
func findingProblems(f fallacy.Finding, n int) (problems []string) {
	if f.Verdict == fallacy.Invalid && len(f.Anomalies) == 0 {
		problems = append(problems, "it says invalid and shows no anomaly")
	}
	if f.Verdict == fallacy.Valid && (f.Examined == 0 || len(f.Anomalies) > 0) {
		problems = append(problems, fmt.Sprintf("it says valid, has examined %d ops or calls and found %d anomalies", f.Examined, len(f.Anomalies)))
	}
	if f.Verdict == fallacy.Unknown && f.Reason == "" {
		problems = append(problems, "it says unknown and not why")
	}
	for _, a := range f.Anomalies {
		switch {
		case a.Name == "" || a.Why == "":
			problems = append(problems, fmt.Sprintf("an anomaly lacks its name, or the sentence that a reader can check: %q: %q", a.Name, a.Why))
		case len(a.Ops) == 0:
			problems = append(problems, fmt.Sprintf("the anomaly %q names no ops: they are the evidence", a.Name))
		case !slices.IsSorted(a.Ops) || a.Ops[0] < 0 || a.Ops[len(a.Ops)-1] >= n:
			problems = append(problems, fmt.Sprintf("the anomaly %q names ops %v: they are indexes into the history, in order, of %d ops", a.Name, a.Ops, n))
		}
	}
	return problems
}

// tooLate is the error of a checker that did not come back.
type tooLate struct{ error }

// ask asks c, which may panic or never come back.
func ask(ctx context.Context, c *fallacy.Checker, h fallacy.History) (fallacy.Finding, error) {
	type answer struct {
		finding fallacy.Finding
		err     error
	}
	came := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a.err = fmt.Errorf("it panics: %v", p)
			}
			came <- a
		}()
		a.finding, a.err = c.Check(ctx, h)
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case a := <-came:
		return a.finding, a.err
	case <-timer.C:
		return fallacy.Finding{}, &tooLate{fmt.Errorf("it does not come back within %v", patience)}
	}
}

// multiplied is h many times over, each time by other processes.
func multiplied(h fallacy.History) fallacy.History {
	processes := 0
	for _, op := range h {
		processes = max(processes, op.Process+1)
	}
	var many fallacy.History
	for round := 0; len(h) > 0 && len(many) < crowd; round++ {
		for _, op := range h {
			if op.IsClient() {
				op.Process += round * processes
			}
			op.Index, op.Time = len(many), time.Duration(len(many))*time.Millisecond
			many = append(many, op)
		}
	}
	return many
}

func jsonLines(h fallacy.History) (text []byte) {
	for _, op := range h {
		text = append(op.AppendJSON(text), '\n')
	}
	return text
}

func findingText(f fallacy.Finding) string {
	text, err := json.Marshal(f)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
