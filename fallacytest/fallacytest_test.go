package fallacytest

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/nemesis"
	"github.com/fallacy-dev/fallacy/targets/refstore"
	"github.com/fallacy-dev/fallacy/workloads"
)

func TestMain(m *testing.M) { Main(m) }

// setCases are a lost element, and one that is missing since nobody knows of it.
var setCases = []Case{
	{Name: "lost", Want: fallacy.Invalid, Anomaly: "lost", History: `
		0 invoke add 1
		0 ok     add 1
		1 invoke read null
		1 ok     read []`},
	{Name: "in doubt", Want: fallacy.Valid, History: `
		0 invoke add 1
		0 info   add 1 # timed out
		1 invoke read null
		1 ok     read []`},
}

func TestCheckerOfTheShelf(t *testing.T) { Checker(t, checkers.Set(), setCases...) }

// TestCheckerIsNotBlind plants a fault into a checker, and wants it to be named.
func TestCheckerIsNotBlind(t *testing.T) {
	good := checkers.Set().Check
	asks := 0
	for want, check := range map[string]func(context.Context, fallacy.History) (fallacy.Finding, error){
		"calls an empty history valid": func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			if len(h) == 0 {
				return fallacy.Finding{Verdict: fallacy.Valid, Examined: 1}, nil
			}
			return good(ctx, h)
		},
		"the verdict is valid, want invalid": func(context.Context, fallacy.History) (fallacy.Finding, error) {
			return fallacy.Finding{Verdict: fallacy.Valid, Examined: 1}, nil
		},
		"another one afterwards": func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			f, err := good(ctx, h)
			for i := range h {
				h[i].F = "changed"
			}
			return f, err
		},
		"asked twice": func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			f, err := good(ctx, h)
			asks++
			f.Examined += asks
			return f, err
		},
		"they are indexes into the history": func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			f, err := good(ctx, h)
			for i := range f.Anomalies {
				f.Anomalies[i].Ops = []int{0, 99}
			}
			return f, err
		},
		"it panics": func(context.Context, fallacy.History) (fallacy.Finding, error) { panic("no such luck") },
	} {
		c := &fallacy.Checker{Name: "planted", Doc: "a checker\n\nwith a fault", Check: check}
		got := strings.Join(checkerProblems(t.Context(), c, setCases), "\n")
		if !strings.Contains(got, want) {
			t.Errorf("want a complaint with %q, got\n%s", want, got)
		}
	}
	c := &fallacy.Checker{Name: "a b", Doc: "title only", Check: good}
	got := strings.Join(checkerProblems(t.Context(), c, setCases[:1]), "\n")
	for _, want := range []string{"no spaces", "a title only", "no case that is valid"} {
		if !strings.Contains(got, want) {
			t.Errorf("want a complaint with %q, got\n%s", want, got)
		}
	}
}

func TestHistoryRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"0 invoke add":       "line 1 of the history",
		"\n\nx invoke add 1": `line 3 of the history: the process is "x"`,
		"0 invoke add {":     "the value of",
		"0 asks add 1":       `type is "asks"`,
		`{"process":"x"}`:    "line 1 of the history",
	} {
		if _, err := History(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", text, err, want)
		}
	}
	h, err := History("0 invoke add 1\n" + `{"process":0,"type":"info","f":"add","value":1,"error":"x"}` + "\nnemesis/kill invoke inject null")
	if err != nil || len(h) != 3 || h[1].Error != "x" || h[1].Index != 1 || h[2].Nemesis != "kill" {
		t.Errorf("got %v, %v", h, err)
	}
}

func store(t *testing.T, bug string) fallacy.Target {
	t.Helper()
	target, err := refstore.Kind.New(fallacy.TargetOptions{Nodes: 3, Bug: bug, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestRunKeepsAReport(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: leave out -short to run a store with a bug")
	}
	stale := store(t, "stale-read")
	n, err := nemesis.New("partition", nemesis.Schedule{Quiet: 500 * time.Millisecond, Fault: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	run := Run(t, fallacy.Test{Target: stale, Workload: workloads.Register(), Nemeses: []fallacy.Nemesis{n}, Rate: 400, Time: 6 * time.Second}, Invalid("nonlinearizable"))
	if run.Ops.OK == 0 || len(run.Faults) != 1 {
		t.Errorf("got %+v", run)
	}
	for _, m := range run.Members {
		if len(m.Versions) != 1 || m.Versions[0] == "" || m.Program == "" || len(m.Argv) < 2 || m.Argv[1] != "refstore" || m.NoSamples != "" && runtime.GOOS == "linux" {
			t.Errorf("of node %s became known: %+v", m.Node, m)
		}
	}
	if len(run.Members) != len(run.Nodes) {
		t.Errorf("%d of %d nodes became known", len(run.Members), len(run.Nodes))
	}
}

func TestRunOfAStoreThatHolds(t *testing.T) {
	run := Run(t, fallacy.Test{Target: store(t, ""), Workload: workloads.Set(), Time: time.Second}, Nodes(1))
	if run.Verdict != fallacy.Valid || len(run.Nodes) != 1 || run.Concurrency != 2 {
		t.Errorf("got %+v", run)
	}
}

func TestTargetOfTheShelf(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds: leave out -short to run the store under kills and pauses")
	}
	Target(t, refstore.Kind, workloads.Set())
}

func TestFaultOfTheShelf(t *testing.T) {
	for _, name := range []string{"kill", "partition"} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "kill" {
				t.Skip("one is enough for -short")
			}
			n, err := nemesis.New(name, nemesis.Schedule{})
			if err != nil {
				t.Fatal(err)
			}
			Fault(t, n)
		})
	}
}

func TestComplaintOfARun(t *testing.T) {
	p := plan{nodes: 3}
	for want, test := range map[string]fallacy.Test{"no Target": {}, "no Workload": {Target: store(t, "")}} {
		if _, err := p.complete(test); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

// planted is what must fail: each is a test of its own in another process.
var planted = map[string]struct {
	test func(t *testing.T)
	want string
}{
	"no-main": {func(t *testing.T) {
		hooked = false
		Run(t, fallacy.Test{})
	}, "func TestMain(m *testing.M) { fallacytest.Main(m) }"},
	"expects-a-bug": {func(t *testing.T) {
		Run(t, fallacy.Test{Target: store(t, ""), Workload: workloads.Set(), Time: time.Second}, Nodes(1), Invalid("lost"))
	}, "the verdict is valid, want invalid"},
	"never-heals": {func(t *testing.T) { Fault(t, wrong(neverHeals{})) }, "still imposes"},
	"swallows":    {func(t *testing.T) { Fault(t, wrong(swallows{})) }, "return the error of Control.Verify"},
	"ready-blindly": {func(t *testing.T) {
		kind := *refstore.Kind
		kind.New = func(fallacy.TargetOptions) (fallacy.Target, error) { return blind{store(t, "")}, nil }
		Target(t, &kind, workloads.Set())
	}, "Ready says that n3 serves while its process is killed"},
}

func TestPlanted(t *testing.T) {
	if name := os.Getenv("FALLACYTEST_PLANTED"); name != "" {
		planted[name].test(t)
		return
	}
	for name, p := range planted {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "no-main" {
				t.Skip("each starts a cluster: leave out -short")
			}
			again := exec.Command(os.Args[0], "-test.run", "^TestPlanted$", "-test.v")
			again.Env = append(os.Environ(), "FALLACYTEST_PLANTED="+name, "TMPDIR="+t.TempDir())
			out, err := again.CombinedOutput()
			if err == nil || !strings.Contains(string(out), p.want) {
				t.Errorf("%v, want a failure with %q:\n%s", err, p.want, out)
			}
			if name == "expects-a-bug" {
				reports, _ := filepath.Glob(filepath.Join(strings.TrimPrefix(again.Env[len(again.Env)-1], "TMPDIR="), "fallacytest-*", "*", "2*", "report.html"))
				if len(reports) != 1 {
					t.Errorf("a test that failed has left %d reports:\n%s", len(reports), out)
				}
			}
		})
	}
}

// wrong is a nemesis whose fault pauses n1, with something wrong about it.
func wrong(f fallacy.Fault) fallacy.Nemesis {
	n, err := nemesis.New("pause:n1", nemesis.Schedule{})
	if err != nil {
		panic(err)
	}
	n.Fault = f
	return n
}

type pauses struct{}

func (pauses) Inject(ctx context.Context, _ *rand.Rand, c fallacy.Cluster) (fallacy.Value, error) {
	return fallacy.String("n1"), c.Impose(ctx, "mine", map[string]fallacy.Condition{"n1": {Process: fallacy.Paused}})
}
func (pauses) Verify(ctx context.Context, c fallacy.Cluster) (fallacy.Value, error) {
	return c.Verify(ctx, "mine")
}
func (pauses) Heal(ctx context.Context, c fallacy.Cluster) error {
	return c.Impose(ctx, "mine", nil)
}

// neverHeals says that it healed, and has not.
type neverHeals struct{ pauses }

func (neverHeals) Heal(context.Context, fallacy.Cluster) error { return nil }

type swallows struct{ pauses }

func (swallows) Verify(ctx context.Context, c fallacy.Cluster) (fallacy.Value, error) {
	_, _ = c.Verify(ctx, "mine")
	return fallacy.String("all is as it should be"), nil
}

// blind is a target that finds itself ready whatever happens.
type blind struct{ fallacy.Target }

func (blind) Ready(context.Context, fallacy.Node) error { return nil }
func (b blind) Ports() []string                         { return b.Target.(fallacy.Ports).Ports() }
