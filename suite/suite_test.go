package suite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

var flags = []string{"faults", "seed", "time", "bug", "nodes", "on"}

const example = `name: demo
parallel: 2
defaults: {time: 4s, nodes: 3}
tests:
  - matrix:
      target: [a]
      workload: [x, y]
      faults: [cut, [kill, pause], none]
    exclude:
      - {workload: y, faults: "kill,pause"}
    include:
      - {target: b, workload: z, seed: 7}
  - {target: a, workload: x, bug: oops, expect: invalid, anomalies: [lost, stale]}
`

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("s.yaml", []byte(text), flags)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func casesOf(t *testing.T, f *File) []Case {
	t.Helper()
	cases, err := f.Cases()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestCases(t *testing.T) {
	var groups []string
	for _, c := range casesOf(t, parse(t, example)) {
		groups = append(groups, fmt.Sprintf("%s: %s", c.Expect, c.Group()))
	}
	want := []string{
		"valid: a/x faults=cut nodes=3 time=4s", "valid: a/x faults=kill,pause nodes=3 time=4s", "valid: a/x faults=none nodes=3 time=4s",
		"valid: a/y faults=cut nodes=3 time=4s", "valid: a/y faults=none nodes=3 time=4s",
		"valid: b/z nodes=3 time=4s", "invalid: a/x bug=oops nodes=3 time=4s",
	}
	if !slices.Equal(groups, want) {
		t.Errorf("got %s\nwant %s", strings.Join(groups, "\n"), strings.Join(want, "\n"))
	}
}

// Seeds are drawn from the suite's, each another, and the same every time. A
// test with a seed of its own is not repeated.
func TestSeeds(t *testing.T) {
	f := parse(t, example)
	f.Repeat = 3
	first, again := casesOf(t, f), casesOf(t, f)
	if len(first) != 6*3+1 {
		t.Fatalf("got %d tests, want 19", len(first))
	}
	seen := make(map[string]bool)
	for i, c := range first {
		if c.ID() != again[i].ID() {
			t.Errorf("first %s, then %s", c.ID(), again[i].ID())
		}
		seen[c.Params["seed"]] = true
	}
	if len(seen) != len(first) {
		t.Errorf("%d tests have %d seeds", len(first), len(seen))
	}
	f.Seed++
	if casesOf(t, f)[0].ID() == first[0].ID() {
		t.Error("another seed of the suite gives the same seed of a test")
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"name: x\ntests:\n  - [\n": "s.yaml:3:5: ",
		"name: x\n":                "s.yaml:1:1: missing property 'tests'",
		"name: x\ntests:\n  - {target: a, wrkload: b}\n":            `s.yaml:3:26: there is no key "wrkload" here`,
		"name: x\nparallel: two\ntests: [{target: a}]\n":            "s.yaml:2:11: parallel: got string, want integer",
		"name: x\nbudget: soon\ntests: [{target: a}]\n":             "s.yaml:2:9: budget: ",
		"name: x\ntests: [{workload: a}]\n":                         "the test has no target",
		"name: x\ntests: [{target: a}, {target: a}]\n":              "stands there twice",
		"name: x\ntests: [{target: a, slots: 3}]\n":                 "the test takes 3 slots, and the suite has 1",
		"name: x\ntests: [{target: a, anomalies: lost}]\n":          "say expect: invalid",
		"name: x\ntests: [{target: a, expect: fine}]\n":             "expect: value must be one of",
		"name: x\nname: y\ntests: [{target: a}]\n":                  `s.yaml:2:1: `,
		strings.Replace(example, "workload: y,", "workload: q,", 1): "s.yaml:10:10: it leaves nothing out",
	} {
		f, err := Parse("s.yaml", []byte(text), flags)
		if err == nil {
			_, err = f.Cases()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// Every test is in exactly one shard, and with what is known of the past all
// shards take about as long.
func TestShards(t *testing.T) {
	f := parse(t, example)
	f.Repeat = 20
	cases := casesOf(t, f)
	past := map[string]time.Duration{"a/x faults=cut nodes=3 time=4s": 5 * time.Minute, "a/y faults=none nodes=3 time=4s": time.Second}
	count := make(map[string]int)
	var least, most time.Duration = math.MaxInt64, 0
	for i := range 5 {
		load := time.Duration(0)
		for _, c := range (Shard{i + 1, 5}).Take(cases, past) {
			count[c.ID()]++
			load += estimate(c, past)
		}
		least, most = min(least, load), max(most, load)
	}
	for _, c := range cases {
		if count[c.ID()] != 1 {
			t.Errorf("%s is in %d shards", c.ID(), count[c.ID()])
		}
	}
	if most-least > 5*time.Minute {
		t.Errorf("shards take from %v to %v", least, most)
	}
	for text, want := range map[string]string{"": "1/1", "2/5": "2/5", "auto/3": "3/3", "6/5": "", "0/5": "", "x": "", "auto/2": ""} {
		s, err := ParseShard(text, func(name string) string { return map[string]string{"JOB_COMPLETION_INDEX": "2"}[name] })
		if (err != nil) != (want == "") || err == nil && s.String() != want {
			t.Errorf("--shard %q: got %v, %v; want %q", text, s, err, want)
		}
	}
}

// script is what tests come to, by group; a line a time.
type script struct {
	mu   sync.Mutex
	says map[string][]string
	runs []string
}

func (s *script) do(_ context.Context, c Case) (Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = append(s.runs, c.Group())
	said := s.says[c.Group()]
	if len(said) == 0 {
		return Result{Verdict: fallacy.Valid, Ops: 10}, nil
	}
	s.says[c.Group()] = said[1:]
	switch said[0] {
	case "trouble":
		return Result{}, errors.New("no cluster")
	case "unknown":
		return Result{Reason: "no fault took effect"}, nil
	case "valid":
		return Result{Verdict: fallacy.Valid}, nil
	}
	return Result{Verdict: fallacy.Invalid, Anomalies: []string{said[0]}, Told: "told <b>&]]>\x01@you"}, nil
}

// runIn runs a suite in a directory, as the command does.
func runIn(t *testing.T, path, text string, s *script, change func(*Runner)) (Summary, error) {
	t.Helper()
	f := parse(t, text)
	cases := casesOf(t, f)
	head := HeadOf(f, []byte(text), Shard{1, 1}, len(cases), nil)
	var d *Dir
	var err error
	if _, exists := os.Stat(path); exists == nil {
		d, err = Resume(path, head)
	} else {
		d, err = Create(path, head)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	outcomes, err := d.Outcomes()
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{Do: s.do, Note: d.Note, Say: func(string) {}, Slots: f.Parallel, Retries: f.Retries}
	if change != nil {
		change(r)
	}
	ended := r.Run(t.Context(), Left(cases, outcomes))
	if outcomes, err = d.Outcomes(); err != nil {
		t.Fatal(err)
	}
	summary := Summarize(head, outcomes, ended)
	if err := d.Finish(summary); err != nil {
		t.Fatal(err)
	}
	return summary, ended
}

const four = "name: four\ntests: [{target: a}, {target: b}, {target: c, expect: invalid}, {target: d, expect: invalid, anomalies: lost}]\n"

func TestStatuses(t *testing.T) {
	for _, c := range []struct {
		says map[string][]string
		want Status
		runs int
	}{
		{map[string][]string{"c": {"lost"}, "d": {"lost"}}, AsExpected, 4},
		{map[string][]string{"a": {"trouble"}, "c": {"lost"}, "d": {"lost"}}, AsExpected, 5},                // tried again
		{map[string][]string{"a": {"trouble", "trouble"}, "c": {"lost"}, "d": {"lost"}}, NotRun, 5},         // twice is enough
		{map[string][]string{"a": {"unknown"}, "c": {"lost"}, "d": {"lost"}}, NotKnown, 4},                  // never tried again
		{map[string][]string{"d": {"lost"}}, Unexpected, 4},                                                 // a bug that is not found is news
		{map[string][]string{"c": {"lost"}, "d": {"stale"}}, Unexpected, 4},                                 // found as something else
		{map[string][]string{"a": {"lost"}, "b": {"unknown"}, "c": {"lost"}, "d": {"lost"}}, Unexpected, 4}, // the worst counts
	} {
		s := &script{says: c.says}
		summary, err := runIn(t, filepath.Join(t.TempDir(), "out"), four, s, nil)
		if err != nil || summary.Worst() != c.want || len(s.runs) != c.runs {
			t.Errorf("%v: got %s after %d runs (%v), want %s after %d", c.says, summary.Worst(), len(s.runs), err, c.want, c.runs)
		}
	}
}

// Nothing that was done is done again, and nothing that was not counts as passed.
func TestResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	s := &script{says: map[string][]string{"b": {"lost"}, "c": {"lost"}, "d": {"lost"}}}
	summary, err := runIn(t, path, four, s, func(r *Runner) { r.FailFast = true })
	if !errors.Is(err, ErrFailFast) || len(summary.Outcomes) == 4 {
		t.Fatalf("got %v after %d tests", err, len(summary.Outcomes))
	}
	done := len(s.runs)
	f, err := os.OpenFile(filepath.Join(path, journalFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"name":"cut off in the`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	summary, err = runIn(t, path, four, s, nil)
	if err != nil || len(summary.Outcomes) != 4 || len(s.runs) != 4 || done == 4 {
		t.Errorf("got %d outcomes of %d runs, %v", len(summary.Outcomes), len(s.runs), err)
	}
	if _, err := Resume(path, HeadOf(parse(t, example), []byte(example), Shard{1, 1}, 7, nil)); err == nil || !strings.Contains(err.Error(), "another suite") {
		t.Errorf("another suite goes on in its place: %v", err)
	}
}

func TestNothingLeftUndonePasses(t *testing.T) {
	s := &script{}
	ctx, cancel := context.WithCancel(t.Context())
	r := &Runner{Note: func(Outcome) error { return nil }, Say: func(string) {}, Slots: 1}
	r.Do = func(ctx context.Context, c Case) (Result, error) {
		if c.Group() == "b" {
			cancel()
		}
		return s.do(ctx, c)
	}
	var kept []Outcome
	r.Note = func(o Outcome) error { kept = append(kept, o); return nil }
	err := r.Run(ctx, casesOf(t, parse(t, four)))
	if !errors.Is(err, context.Canceled) || len(kept) != 1 {
		t.Errorf("interrupted in the second test: kept %d, %v", len(kept), err)
	}
	if got := Summarize(Head{Name: "four", Planned: 4}, kept, err).Worst(); got != NotKnown {
		t.Errorf("a suite that was left undone is %s", got)
	}
	r.Budget, r.Do = time.Nanosecond, s.do
	block := make(chan struct{})
	r.Do = func(ctx context.Context, c Case) (Result, error) { <-block; return s.do(ctx, c) }
	time.AfterFunc(50*time.Millisecond, func() { close(block) })
	if err := r.Run(t.Context(), casesOf(t, parse(t, four))); !errors.Is(err, ErrBudget) {
		t.Errorf("over budget: got %v", err)
	}
}
