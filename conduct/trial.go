package conduct

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/controller"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/results"
)

// Bounds on what surrounds a run.
const (
	startTimeout = 30 * time.Second
	logTimeout   = 30 * time.Second
)

// Trial is a run to be done, and where.
type Trial struct {
	Test  fallacy.Test
	Nodes []string // names

	// Dial returns the way to the nodes, on which the target listens on ports by
	// these names. If it has an Origin, that says what the nodes are made from.
	Dial func(ctx context.Context, ports []string) (remote.Dialer, error)

	// About is what the record of the run is to say besides what is in Test: the
	// target's name, the command to run it again.
	About results.Run

	Runs     string             // directory to keep runs in
	Lenient  bool               // faults that the nodes cannot have are left out
	Checkers []*fallacy.Checker // that judge besides the workload's own and those of every run
	Watch    Watch
}

// Watch is told how a run goes. Nil functions tell nobody.
type Watch struct {
	Say   func(text string)          // a line for people
	Begin func(length time.Duration) // of the workload
	Note  func(ops []fallacy.Op)     // as they are recorded
	End   func()                     // of what Begin began
}

func (w Watch) say(format string, args ...any) {
	if w.Say != nil {
		w.Say(fmt.Sprintf(format, args...))
	}
}

func (w Watch) begin(length time.Duration) (end func()) {
	if w.Begin != nil {
		w.Begin(length)
	}
	if w.End == nil {
		return func() {}
	}
	return w.End
}

// Run runs the trial and judges it. It returns the run and its directory. The
// error is trouble of fallacy's own; what was recorded until then is kept.
func Run(ctx context.Context, t Trial) (results.Run, string, error) {
	began := time.Now()
	if target, ok := t.Test.Target.(io.Closer); ok {
		defer func() { _ = target.Close() }() // after the cluster
	}
	cluster, origin, err := t.open(ctx)
	if err != nil {
		return results.Run{}, "", err
	}
	closed := false
	shut := func() error {
		if closed {
			return nil
		}
		closed = true
		return cluster.Close()
	}
	defer func() { _ = shut() }() // on the way out of an error, which says more
	if err := t.refuse(cluster); err != nil {
		return results.Run{}, "", err
	}
	dir, err := results.Create(t.Runs, t.Test.Name, began)
	if err != nil {
		return results.Run{}, "", err
	}
	run := t.record(began, cluster, origin)
	if err := dir.SaveRun(run); err != nil {
		return run, "", err
	}
	t.Watch.say("%s on %d nodes, seed %d, faults %s: %s", t.Test.Name, len(t.Nodes), t.Test.Seed, faultList(t.Test.Nemeses), dir.Path())
	if err = t.drive(ctx, cluster, dir, &run); err != nil {
		return run, "", errors.Join(err, dir.Finish())
	}
	run.Interrupted = ctx.Err() != nil
	t.Watch.say("collecting logs, judging")
	err = collect(cluster, dir, &run)
	if err := errors.Join(err, shut(), dir.Finish()); err != nil {
		t.Watch.say("%v", err) // the history is whole all the same
	}
	run.Took = time.Since(began)
	run, err = Judge(context.WithoutCancel(ctx), run, dir, t.checkers(dir))
	return run, dir.Path(), err
}

// open starts an agent for every node. Finding an image may take long, and says
// so; the rest may not. Origin is what the nodes are made from.
func (t *Trial) open(ctx context.Context) (c *remote.Cluster, origin string, err error) {
	ports := []string{"client"}
	if p, ok := t.Test.Target.(fallacy.Ports); ok {
		ports = p.Ports()
	}
	dialer, err := t.Dial(ctx, ports)
	if err != nil {
		return nil, "", err
	}
	if made, ok := dialer.(interface{ Origin() string }); ok {
		origin = made.Origin()
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	c, err = remote.Open(ctx, dialer, remote.Options{Nodes: t.Nodes, Ports: ports, Seed: t.Test.Seed})
	return c, origin, err
}

// refuse refuses faults that the nodes cannot have; those that nobody asked for
// by name are left out, and that is said.
func (t *Trial) refuse(c *remote.Cluster) error {
	var kept []fallacy.Nemesis
	for _, n := range t.Test.Nemeses {
		var errs []error
		for _, need := range n.Needs {
			errs = append(errs, c.Lacks(need))
		}
		err := errors.Join(errs...)
		switch {
		case err == nil:
			kept = append(kept, n)
		case !t.Lenient:
			return fmt.Errorf("%s cannot be had here: %w", n.Name, err)
		default:
			t.Watch.say("left out: %s: %v", n.Name, err)
		}
	}
	t.Test.Nemeses = kept
	return nil
}

// record is what is known of the run before it has begun.
func (t *Trial) record(began time.Time, c *remote.Cluster, origin string) results.Run {
	run := t.About
	run.Name, run.Workload, run.Started = t.Test.Name, t.Test.Workload.Name, began.UTC()
	run.Promise, _, _ = strings.Cut(t.Test.Workload.Doc, "\n")
	run.System, run.Nodes, run.Seed = c.System(), t.Nodes, t.Test.Seed
	run.Concurrency, run.Rate = t.Test.Concurrency, t.Test.Rate
	run.Time, run.OpTimeout, run.Recovery = t.Test.Time, t.Test.OpTimeout, t.Test.Recovery
	run.Reason = "the run did not finish"
	if target, ok := t.Test.Target.(fallacy.Claims); ok {
		run.Claims = target.Claims(t.Test.Workload.Name)
	}
	if origin != "" {
		run.Parameters = map[string]string{"image": origin}
	}
	for _, n := range t.Test.Nemeses {
		title, _, _ := strings.Cut(n.Doc, "\n")
		run.Faults = append(run.Faults, results.Fault{Name: n.Name, Title: title, Fallacy: n.Fallacy})
	}
	return run
}

func faultList(all []fallacy.Nemesis) string {
	if len(all) == 0 {
		return "none"
	}
	var names []string
	for _, n := range all {
		names = append(names, n.Name)
	}
	return strings.Join(names, ", ")
}

// drive starts the target and runs the test. It notes in run the instant that is
// 0 in the history, and how the nodes were run.
func (t *Trial) drive(ctx context.Context, c *remote.Cluster, dir *results.Dir, run *results.Run) error {
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.Start(starting, t.Test.Target); err != nil {
		return err
	}
	run.Members = membersOf(c)
	ask := func(ctx context.Context) { askVersions(ctx, t.Test.Target, c.Nodes(), run.Members) }
	defer t.Watch.begin(t.Test.Time)()
	cluster := fallacy.Cluster{Nodes: c.Nodes(), Target: t.Test.Target, Control: c}
	err := controller.Run(ctx, t.Test, cluster, controller.Options{
		Record: func(ops []fallacy.Op) error {
			if run.Epoch.IsZero() && len(ops) > 0 {
				run.Epoch = time.Now().Add(-ops[len(ops)-1].Time).UTC()
			}
			if t.Watch.Note != nil {
				t.Watch.Note(ops)
			}
			return dir.Record(ops)
		},
		Note:         func(text string) { t.Watch.say("%s", text) },
		Ready:        ask,
		ReadyTimeout: startTimeout,
	})
	ask(context.WithoutCancel(ctx)) // it may have changed, or not been told before
	return err
}

// checkers are all that judge the trial.
func (t *Trial) checkers(dir *results.Dir) []*fallacy.Checker {
	var names []string
	for _, n := range t.Test.Nemeses {
		names = append(names, n.Name)
	}
	all := slices.Concat(t.Test.Workload.Checkers, t.Checkers, General(names))
	if target, ok := t.Test.Target.(fallacy.CrashPatterns); ok {
		if patterns := target.CrashPatterns(); len(patterns) > 0 {
			all = append(all, checkers.Crashes(dir.Logs(), patterns))
		}
	}
	return all
}
