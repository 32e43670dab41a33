package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/controller"
	"github.com/fallacy-dev/fallacy/nemesis"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/results"
)

// Bounds on what surrounds a run.
const (
	startTimeout = 30 * time.Second
	logTimeout   = 30 * time.Second
)

// run runs the trial and judges it. The error is trouble of fallacy's own; what
// was recorded until then is kept.
func (t *trial) run(ctx context.Context, p *progress) (results.Run, string, error) {
	began := time.Now()
	if target, ok := t.target.(io.Closer); ok {
		defer func() { _ = target.Close() }() // after the cluster
	}
	cluster, err := t.open(ctx, p)
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
	if err := t.refuse(cluster, p); err != nil {
		return results.Run{}, "", err
	}
	dir, err := results.Create(t.runs, t.test.Name, began)
	if err != nil {
		return results.Run{}, "", err
	}
	run := t.record(began, cluster)
	if err := dir.SaveRun(run); err != nil {
		return run, "", err
	}
	p.say("%s on %d nodes, seed %d, faults %s: %s", t.test.Name, len(t.names), t.seed, faultList(t.test.Nemeses), dir.Path())
	if run.Epoch, err = t.drive(ctx, cluster, dir, p); err != nil {
		return run, "", errors.Join(err, dir.Finish())
	}
	run.Interrupted = ctx.Err() != nil
	p.say("collecting logs, judging")
	err = t.collect(cluster, dir)
	if err := errors.Join(err, shut(), dir.Finish()); err != nil {
		p.say("%v", err) // the history is whole all the same
	}
	run.Took = time.Since(began)
	run, err = judge(context.WithoutCancel(ctx), run, dir, t.checkers(dir))
	return run, dir.Path(), err
}

// open starts an agent for every node. Finding an image may take long, and says
// so; the rest may not.
func (t *trial) open(ctx context.Context, p *progress) (*remote.Cluster, error) {
	ports := []string{"client"}
	if p, ok := t.target.(fallacy.Ports); ok {
		ports = p.Ports()
	}
	dialer, err := t.dial(ctx, ports, func(text string) { p.say("%s", text) })
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	return remote.Open(ctx, dialer, remote.Options{Nodes: t.names, Ports: ports, Seed: t.seed})
}

// refuse refuses faults that the nodes cannot have; those that nobody asked for
// by name are left out, and that is said.
func (t *trial) refuse(c *remote.Cluster, p *progress) error {
	var kept []fallacy.Nemesis
	for _, n := range t.test.Nemeses {
		var errs []error
		for _, need := range n.Needs {
			errs = append(errs, c.Lacks(need))
		}
		err := errors.Join(errs...)
		switch {
		case err == nil:
			kept = append(kept, n)
		case !t.optional:
			return fmt.Errorf("%s cannot be had here: %w", n.Name, err)
		default:
			p.say("left out: %s: %v", n.Name, err)
		}
	}
	t.test.Nemeses = kept
	return nil
}

// record is what is known of the run before it has begun.
func (t *trial) record(began time.Time, c *remote.Cluster) results.Run {
	title, _, _ := strings.Cut(t.test.Workload.Doc, "\n")
	run := results.Run{
		Name: t.test.Name, Target: t.kind.Name, Workload: t.test.Workload.Name, Started: began.UTC(),
		Command: t.command(), Version: version(), System: c.System(),
		Seed: t.seed, Nodes: t.names, Concurrency: t.test.Concurrency, Rate: t.test.Rate,
		Time: t.test.Time, OpTimeout: t.test.OpTimeout, Recovery: t.test.Recovery,
		Remote: t.on, Bug: t.bug, Promise: title,
		Reason: "the run did not finish",
	}
	for _, b := range t.kind.Bugs {
		if b.Name == t.bug {
			run.BugDoc, _, _ = strings.Cut(b.Doc, "\n")
		}
	}
	if target, ok := t.target.(fallacy.Claims); ok {
		run.Claims = target.Claims(t.test.Workload.Name)
	}
	if t.origin != "" {
		run.Parameters = map[string]string{"image": t.origin}
	}
	for _, n := range t.test.Nemeses {
		title, _, _ := strings.Cut(n.Doc, "\n")
		run.Faults = append(run.Faults, results.Fault{Name: n.Name, Title: title, Fallacy: n.Fallacy})
	}
	return run
}

// command is how to run this again.
func (t *trial) command() []string {
	was, argv := defaultRequest(), []string{"fallacy", "run", t.test.Name}
	add := func(flag, value string, same bool) {
		switch {
		case same:
		case value == "":
			argv = append(argv, flag)
		default:
			argv = append(argv, flag, value)
		}
	}
	add("--bug", t.bug, t.bug == "")
	add("--topology", t.topology, t.topology == "")
	t.place.command(add)
	add("--faults", t.faults, t.plan != "" || t.faults == was.faults && t.bug == "")
	add("--plan", t.plan, t.plan == "")
	add("--nodes", t.nodes, t.nodes == was.nodes)
	add("--concurrency", t.concurrency, t.concurrency == was.concurrency)
	add("--rate", strconv.FormatFloat(t.rate, 'g', -1, 64), t.rate == was.rate)
	add("--time", t.time.String(), t.time == was.time)
	add("--op-timeout", t.opTimeout.String(), t.opTimeout == was.opTimeout)
	add("--recovery", t.recovery.String(), t.recovery == was.recovery)
	add("--quiet-time", t.quiet.String(), t.quiet == was.quiet || t.plan != "")
	add("--fault-time", t.fault.String(), t.fault == was.fault || t.plan != "")
	return append(argv, "--seed", strconv.FormatUint(t.seed, 10))
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

// drive starts the target and runs the test. It returns the instant that is 0 in the history.
func (t *trial) drive(ctx context.Context, c *remote.Cluster, dir *results.Dir, p *progress) (epoch time.Time, err error) {
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := c.Start(starting, t.target); err != nil {
		return epoch, err
	}
	p.start(t.test.Time)
	defer p.stop()
	cluster := fallacy.Cluster{Nodes: c.Nodes(), Target: t.target, Control: c}
	err = controller.Run(ctx, t.test, cluster, controller.Options{
		Record: func(ops []fallacy.Op) error {
			if epoch.IsZero() && len(ops) > 0 {
				epoch = time.Now().Add(-ops[len(ops)-1].Time).UTC()
			}
			p.note(ops)
			return dir.Record(ops)
		},
		Note:         func(text string) { p.say("%s", text) },
		ReadyTimeout: startTimeout,
	})
	return epoch, err
}

// collect brings the nodes' logs home.
func (t *trial) collect(c *remote.Cluster, dir *results.Dir) error {
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	return c.Logs(ctx, func(node, name string) (io.WriteCloser, error) { return dir.CreateLog(node, name) })
}

// checkers are all that judge the trial.
func (t *trial) checkers(dir *results.Dir) []*fallacy.Checker {
	var names []string
	for _, n := range t.test.Nemeses {
		names = append(names, n.Name)
	}
	all := slices.Concat(t.test.Workload.Checkers, t.extra, general(names))
	if target, ok := t.target.(fallacy.CrashPatterns); ok {
		all = append(all, checkers.Crashes(dir.Logs(), target.CrashPatterns()))
	}
	return all
}

// general are the checkers that judge every run.
func general(faults []string) []*fallacy.Checker {
	return []*fallacy.Checker{checkers.Coverage(faults), checkers.Stats(), checkers.Recovery()}
}

// judge lets all judge the history in dir, and writes down what they find.
func judge(ctx context.Context, run results.Run, dir *results.Dir, all []*fallacy.Checker) (results.Run, error) {
	h, damage, err := dir.History()
	if err != nil {
		return run, err
	}
	plan, err := nemesis.PlanOf(h, run.Seed, run.Time)
	if err != nil {
		return run, err
	}
	run = judgeHistory(ctx, run, h, all)
	if damage != nil {
		run.Reason = strings.TrimSpace(damage.String() + "; " + run.Reason)
		run.Verdict = fallacy.Worse(run.Verdict, fallacy.Unknown)
	}
	return run, errors.Join(dir.SaveJSON("plan.json", plan), dir.SaveRun(run), dir.WriteReport(run, h))
}

// judgeHistory fills in the verdict and the findings.
func judgeHistory(ctx context.Context, run results.Run, h fallacy.History, all []*fallacy.Checker) results.Run {
	judgements := checkers.Judge(ctx, h, all, checkers.Options{})
	run.Verdict, run.Reason, run.Findings, run.Ops = checkers.Overall(judgements), "", nil, count(h)
	for _, j := range judgements {
		run.Findings = append(run.Findings, results.Finding{Checker: j.Checker, Title: j.Title, Finding: j.Finding, Took: j.Took})
		if j.Finding.Verdict == fallacy.Unknown && run.Reason == "" {
			run.Reason = fmt.Sprintf("%s cannot tell: %s", j.Checker, j.Finding.Reason)
		}
	}
	return run
}

func count(h fallacy.History) results.Counts {
	var c results.Counts
	for call := range h.Calls() {
		c.Invoked++
		switch call.Type() {
		case fallacy.OK:
			c.OK++
		case fallacy.Fail:
			c.Fail++
		default:
			c.Info++
		}
	}
	return c
}
