package fallacytest

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/conduct"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/local"
	"github.com/fallacy-dev/fallacy/results"
)

// Option is a choice about a run that a [fallacy.Test] does not hold.
type Option func(*plan)

// plan is a run as it is wanted.
type plan struct {
	nodes     int
	checkers  []*fallacy.Checker
	want      fallacy.Verdict
	anomalies []string
}

// Nodes sets how many nodes there are: 3, unless it is said.
func Nodes(n int) Option { return func(p *plan) { p.nodes = n } }

// Checkers adds checkers to those of the workload.
func Checkers(all ...*fallacy.Checker) Option {
	return func(p *plan) { p.checkers = append(p.checkers, all...) }
}

// Invalid says that the test is to find something: for a target that is known to
// be wrong. Of the anomalies named, if any are, at least one must be found.
func Invalid(anomalies ...string) Option {
	return func(p *plan) { p.want, p.anomalies = fallacy.Invalid, anomalies }
}

// Run runs test with nodes that are child processes, and fails t unless it comes
// to valid, or to what the options say. Unknown is never as it should be. It
// returns the run for further questions.
//
// What test leaves at zero gets a value: two clients a node, 200 operations a
// second, five seconds, a second until nobody knows what became of an operation,
// fifteen for recovery, any seed, which is logged.
//
// The run with its report is kept in t.ArtifactDir() if go test was given
// -artifacts; else in a temporary directory, if t fails. The log names it.
// TestMain has to call [Main].
func Run(t testing.TB, test fallacy.Test, options ...Option) results.Run {
	t.Helper()
	needMain(t, "fallacytest.Run")
	p := plan{nodes: 3, want: fallacy.Valid}
	for _, o := range options {
		o(&p)
	}
	test, err := p.complete(test)
	if err != nil {
		t.Fatalf("fallacytest.Run: %v", err)
	}
	runs := keep(t)
	run, dir, err := conduct.Run(t.Context(), conduct.Trial{
		Test: test, Nodes: nodeNames(p.nodes), Dial: dial, Runs: runs, Checkers: p.checkers,
		About: results.Run{
			Target: strings.Split(test.Name, "/")[0], Remote: "local", Version: runtime.Version(),
			Command: []string{"go", "test", "-run", "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$", "-artifacts"},
		},
		Watch: conduct.Watch{Say: func(text string) { t.Log(text) }},
	})
	if err != nil {
		t.Fatalf("fallacytest.Run: %v", err)
	}
	t.Logf("%s: %d operations (%d ok, %d fail, %d info), seed %d: %s", run.Verdict,
		run.Ops.Invoked, run.Ops.OK, run.Ops.Fail, run.Ops.Info, run.Seed, filepath.Join(dir, "report.html"))
	if complaint := p.complaint(run); complaint != "" {
		t.Error(complaint)
	}
	return run
}

// complete fills in what was left out.
func (p plan) complete(test fallacy.Test) (fallacy.Test, error) {
	switch {
	case test.Target == nil:
		return test, fmt.Errorf("the test has no Target: set it to the system under test")
	case test.Workload == nil:
		return test, fmt.Errorf("the test has no Workload: set it, to workloads.Register() for instance")
	case p.nodes < 1:
		return test, fmt.Errorf("%d nodes: there must be one at least", p.nodes)
	}
	if test.Name == "" {
		test.Name = "test/" + test.Workload.Name
	}
	orElse(&test.Concurrency, 2*p.nodes)
	orElse(&test.Rate, 200)
	orElse(&test.Time, 5*time.Second)
	orElse(&test.OpTimeout, time.Second)
	orElse(&test.Recovery, 15*time.Second)
	if test.Seed == 0 {
		var b [8]byte
		_, _ = crand.Read(b[:]) // never fails
		test.Seed = 1 + binary.LittleEndian.Uint64(b[:])%999_999
	}
	return test, nil
}

func orElse[T comparable](is *T, otherwise T) {
	var zero T
	if *is == zero {
		*is = otherwise
	}
}

func nodeNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "n" + strconv.Itoa(i+1)
	}
	return names
}

// dial starts agents as children of this test binary.
func dial(context.Context, []string) (remote.Dialer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the test binary: %w", err)
	}
	return local.New(self, agentArg)
}

// keep returns a directory that outlives a test that fails.
func keep(t testing.TB) string {
	t.Helper()
	if f := flag.Lookup("test.artifacts"); f != nil && f.Value.String() == "true" {
		return t.ArtifactDir()
	}
	dir, err := os.MkdirTemp("", "fallacytest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	})
	return dir
}

// complaint says what is not as it should be; empty: nothing.
func (p plan) complaint(run results.Run) string {
	var seen, lines []string
	for _, f := range run.Findings {
		for _, a := range f.Anomalies {
			seen = append(seen, a.Name)
			lines = append(lines, a.Name+": "+a.Why)
		}
	}
	const most = 5
	if more := len(lines) - most; more > 0 {
		lines = append(lines[:most], fmt.Sprintf("and %d more", more))
	}
	found := len(p.anomalies) == 0 || slices.ContainsFunc(p.anomalies, func(n string) bool { return slices.Contains(seen, n) })
	switch {
	case run.Verdict == p.want && found:
		return ""
	case run.Verdict == fallacy.Unknown:
		return fmt.Sprintf("the verdict is unknown, want %s: %s", p.want, run.Reason)
	case run.Verdict != p.want:
		return strings.Join(append([]string{fmt.Sprintf("the verdict is %s, want %s", run.Verdict, p.want)}, lines...), "\n\t")
	}
	return strings.Join(append([]string{fmt.Sprintf("invalid, but not for any of %q", p.anomalies)}, lines...), "\n\t")
}
