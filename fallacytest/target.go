package fallacytest

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/nemesis"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/workloads"
)

// Target fails t unless a target of this kind does what a target has to: three
// nodes start and become ready; connections open and close; a node that is
// killed is not ready, and is again when it is back; so is one that is paused.
//
// Then each workload is run under kills and pauses, or, if none is named, each of
// fallacy's own that the target's connections are made for. That is what finds an
// error that claims proof where there is none: an operation said to have failed
// that took effect is an anomaly. TestMain has to call [Main].
func Target(t *testing.T, kind *fallacy.TargetKind, all ...*fallacy.Workload) {
	t.Helper()
	needMain(t, "fallacytest.Target")
	if kind == nil || kind.New == nil {
		t.Fatal("there is no target, or it has no New")
	}
	for _, p := range docProblems(kind.Name, kind.Doc) {
		t.Errorf("target %s", p)
	}
	fresh := func() fallacy.Target {
		target, err := kind.New(fallacy.TargetOptions{Nodes: clusterSize, Seed: 1})
		if err != nil {
			t.Fatalf("target %s: %v", kind.Name, err)
		}
		return target
	}
	fitting := all
	t.Run("lifecycle", func(t *testing.T) {
		c := open(t, fresh())
		c.ready(t)
		for _, n := range c.Nodes {
			fitting = c.connect(t, n, all)
		}
		c.suffers(t, "kill", fallacy.Condition{Process: fallacy.Killed})
		c.suffers(t, "pause", fallacy.Condition{Process: fallacy.Paused})
	})
	if t.Failed() {
		return
	}
	for _, w := range fitting {
		t.Run(w.Name, func(t *testing.T) {
			Run(t, fallacy.Test{Name: kind.Name + "/" + w.Name, Target: fresh(), Workload: w, Nemeses: crashes(t)}, Nodes(clusterSize))
		})
	}
}

const clusterSize = 3

// crashes are the faults under which a client's errors must not claim too much.
func crashes(t *testing.T) (all []fallacy.Nemesis) {
	t.Helper()
	for _, name := range []string{"kill", "pause"} {
		n, err := nemesis.New(name, nemesis.Schedule{Quiet: 800 * time.Millisecond, Fault: 1200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// cluster is a cluster of a test.
type cluster struct{ fallacy.Cluster }

// open starts target on nodes of its own, which end with the test.
func open(t *testing.T, target fallacy.Target) cluster {
	t.Helper()
	ports := []string{"client"}
	if p, ok := target.(fallacy.Ports); ok {
		ports = p.Ports()
	}
	dialer, err := dial(t.Context(), ports)
	if err != nil {
		t.Fatal(err)
	}
	c, err := remote.Open(t.Context(), dialer, remote.Options{Nodes: nodeNames(clusterSize), Ports: ports, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if closer, ok := target.(io.Closer); ok {
			_ = closer.Close()
		}
	})
	if err := c.Start(t.Context(), target); err != nil {
		t.Fatalf("the target does not start: %v", err)
	}
	return cluster{fallacy.Cluster{Nodes: c.Nodes(), Target: target, Control: c}}
}

// ready waits until every node is.
func (c cluster) ready(t *testing.T) {
	t.Helper()
	for _, n := range c.Nodes {
		eventually(t, n.Name+" does not become ready", func(ctx context.Context) error { return c.Target.Ready(ctx, n) })
	}
}

// connect opens and closes a connection to n, and returns the workloads that it is made for.
func (c cluster) connect(t *testing.T, n fallacy.Node, all []*fallacy.Workload) (fitting []*fallacy.Workload) {
	t.Helper()
	named := len(all) > 0
	if !named {
		all = []*fallacy.Workload{
			workloads.Register(), workloads.Set(), workloads.Counter(), workloads.Queue(),
			workloads.Lock(), workloads.Append(), workloads.RWRegister(),
		}
	}
	for _, w := range all {
		conn, err := c.Target.Open(t.Context(), n)
		if err != nil {
			t.Fatalf("open %s: %v", n.Name, err)
		}
		if err := conn.Close(); err != nil {
			t.Errorf("close a connection to %s that was not used: %v", n.Name, err)
		}
		if conn, err = c.Target.Open(t.Context(), n); err != nil {
			t.Fatalf("open %s again: %v", n.Name, err)
		}
		_, err = w.ClientOver(conn)
		switch {
		case err == nil:
			fitting = append(fitting, w)
		case named:
			t.Errorf("workload %s: %v", w.Name, err)
		}
		_ = conn.Close()
	}
	if len(fitting) == 0 {
		t.Fatalf("a connection of %T is made for none of fallacy's workloads: pass a workload that it is made for", c.Target)
	}
	return fitting
}

// suffers brings one node into a condition, and out of it again.
func (c cluster) suffers(t *testing.T, fault string, condition fallacy.Condition) {
	t.Helper()
	victim := c.Nodes[len(c.Nodes)-1]
	if err := c.Impose(t.Context(), fault, map[string]fallacy.Condition{victim.Name: condition}); err != nil {
		t.Fatalf("%s %s: %v", fault, victim.Name, err)
	}
	if _, err := c.Verify(t.Context(), fault); err != nil {
		t.Fatalf("%s %s did not take effect: %v", fault, victim.Name, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), readyPatience)
	err := c.Target.Ready(ctx, victim)
	cancel()
	if err == nil {
		t.Errorf("%s: Ready says that %s serves while its process is %v: ask the process itself for something", fault, victim.Name, condition.Process)
	}
	if err := c.Impose(t.Context(), fault, nil); err != nil {
		t.Fatalf("heal %s: %v", fault, err)
	}
	c.ready(t)
}

// readyPatience is how long Ready may take to notice that nobody answers.
const readyPatience = 3 * time.Second

// eventually waits until ok returns nil.
func eventually(t *testing.T, what string, ok func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		once, done := context.WithTimeout(ctx, readyPatience)
		last := ok(once)
		done()
		if last == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(fmt.Errorf("%s: %w", what, last))
		}
	}
}
