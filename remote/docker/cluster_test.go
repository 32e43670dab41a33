package docker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/docker"
	"github.com/moby/moby/client"
)

// clockTarget is the test binary as a target.
type clockTarget struct{}

func (clockTarget) Process(n fallacy.Node, _ []fallacy.Node) (fallacy.Process, error) {
	return fallacy.Process{
		Argv: []string{fallacy.Self, n.Listen["client"]}, Files: map[string]string{"etc/conf": "x"}, Logs: []string{"etc/conf"},
	}, nil
}

func (clockTarget) Ready(_ context.Context, n fallacy.Node) error {
	_, err := ask(n)
	return err
}

func (clockTarget) Open(context.Context, fallacy.Node) (fallacy.Conn, error) {
	return nil, errors.New("not used")
}

// answer is what a node says of itself.
type answer struct {
	skew               time.Duration
	processes, zombies int
}

func ask(n fallacy.Node) (a answer, err error) {
	c, err := net.DialTimeout("tcp", n.Public["client"], time.Second)
	if err != nil {
		return a, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	text, err := io.ReadAll(c)
	if err != nil {
		return a, err
	}
	var ns int64
	_, err = fmt.Sscan(string(text), &ns, &a.processes, &a.zombies)
	a.skew = time.Duration(ns - time.Now().UnixNano())
	return a, err
}

func openWith(ctx context.Context, binary string, nodes []string) (*remote.Cluster, error) {
	d, err := docker.New(ctx, docker.Options{Binary: binary, Env: []string{"FALLACY_TEST_PART=agent"}})
	if err != nil {
		return nil, err
	}
	return remote.Open(ctx, d, remote.Options{Nodes: nodes, Ports: []string{"client"}, Seed: 1})
}

func open(t *testing.T, nodes ...string) *remote.Cluster {
	t.Helper()
	needDocker(t)
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	c, err := openWith(t.Context(), binary, nodes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Start(t.Context(), clockTarget{}); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes() {
		eventually(t, func() error { return clockTarget{}.Ready(t.Context(), n) })
	}
	return c
}

func eventually(t *testing.T, ok func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

func impose(t *testing.T, c *remote.Cluster, fault string, conds map[string]fallacy.Condition) string {
	t.Helper()
	if err := c.Impose(t.Context(), fault, conds); err != nil {
		t.Fatal(err)
	}
	evidence, err := c.Verify(t.Context(), fault)
	if err != nil {
		t.Fatalf("%s: %v (%v)", fault, err, evidence)
	}
	return evidence.String()
}

func linked(from, to string, l fallacy.Link) map[string]fallacy.Condition {
	return map[string]fallacy.Condition{from: {Links: map[string]fallacy.Link{to: l}}}
}

// The steps are those of remote/local: the same faults, the same evidence.
func TestConditionsTakeEffectAndHeal(t *testing.T) {
	c := open(t, "n1", "n2", "n3")
	for _, step := range []struct {
		fault, want string
		conds       map[string]fallacy.Condition
	}{
		{"cut one way", `{"closed_links":["n1>n2"],"open_links":0}`, linked("n1", "n2", fallacy.Link{Cut: true})},
		{"cut from clients", `"closed_links":["clients>n3"]`, linked(fallacy.Clients, "n3", fallacy.Link{Cut: true})},
		{"cut to clients", `"closed_links":["n3>clients"]`, linked("n3", fallacy.Clients, fallacy.Link{Cut: true})},
		{"reset", `"closed_links":["n2>n3"]`, linked("n2", "n3", fallacy.Link{Reset: true})},
		{"stall", `"closed_links":["n2>n3"]`, linked("n2", "n3", fallacy.Link{Stall: true})},
		{"delay", `"rtt_ns":[["n2>n3",`, linked("n2", "n3", fallacy.Link{Delay: 50 * time.Millisecond})},
		{"rate", `"rtt_ns":[["n2>n3",`, linked("n2", "n3", fallacy.Link{Rate: 10_000})},
		{"kill", `"n1":"killed, process 0, start 1"`, map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}}},
		{"pause", `"n2":"paused, process`, map[string]fallacy.Condition{"n2": {Process: fallacy.Paused}}},
		{"restart", `"n2":"terminated, process 0`, map[string]fallacy.Condition{"n2": {Process: fallacy.Terminated}}},
	} {
		t.Run(step.fault, func(t *testing.T) {
			if got := impose(t, c, step.fault, step.conds); !strings.Contains(got, step.want) {
				t.Errorf("evidence: got %s, want %s in it", got, step.want)
			}
			impose(t, c, step.fault, nil)
			impose(t, c, step.fault, nil) // harmless when healthy
		})
	}
	t.Run("clock", func(t *testing.T) { clock(t, c) })
	t.Run("orphans are reaped", func(t *testing.T) { orphans(t, c.Nodes()[2]) })
	t.Run("logs", func(t *testing.T) { logs(t, c) })
	if evidence, err := c.Verify(t.Context(), ""); err != nil {
		t.Errorf("at the end: %v (%v)", err, evidence)
	}
}

// clock skews one node's clock, by ptrace of the agent's own child, without any capability.
func clock(t *testing.T, c *remote.Cluster) {
	if err := c.Lacks(fallacy.NeedClock); err != nil {
		t.Fatal(err)
	}
	skewed := func(i int, want time.Duration) func() error {
		return func() error {
			if a, err := ask(c.Nodes()[i]); err != nil || (a.skew-want).Abs() > time.Second {
				return fmt.Errorf("node %d says that its clock is off by %v, %v; want %v", i+1, a.skew, err, want)
			}
			return nil
		}
	}
	impose(t, c, "clock", map[string]fallacy.Condition{"n1": {Clock: fallacy.Skew{Offset: time.Hour}}})
	eventually(t, skewed(0, time.Hour))
	eventually(t, skewed(1, 0))
	impose(t, c, "kill", map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}})
	impose(t, c, "kill", nil)
	eventually(t, skewed(0, time.Hour))
	impose(t, c, "clock", nil)
	eventually(t, skewed(0, 0))
}

// orphans wants three processes in the container, PID 1, the agent and the target, and none dead.
func orphans(t *testing.T, n fallacy.Node) {
	eventually(t, func() error {
		a, err := ask(n)
		if err != nil || a.processes != 3 || a.zombies != 0 {
			return fmt.Errorf("%d processes, %d zombies, %v; want 3 and 0", a.processes, a.zombies, err)
		}
		return nil
	})
}

type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

func logs(t *testing.T, c *remote.Cluster) {
	var mu sync.Mutex
	got := make(map[string]*buffer)
	err := c.Logs(t.Context(), func(node, name string) (io.WriteCloser, error) {
		mu.Lock()
		defer mu.Unlock()
		got[node+"/"+name] = &buffer{}
		return got[node+"/"+name], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"n3/logs/output.log": "listening\n", "n2/data/etc/conf": "x"} {
		if got[name] == nil || got[name].String() != want {
			t.Errorf("%s: got %v, want %q", name, got[name], want)
		}
	}
}

// A machine under load may be slow now and then, but not each time.
func TestFiveNodesAreUpInTenSeconds(t *testing.T) {
	needDocker(t)
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	var took time.Duration
	for range 3 {
		began := time.Now()
		c, err := openWith(t.Context(), binary, []string{"n1", "n2", "n3", "n4", "n5"})
		if err != nil {
			t.Fatal(err)
		}
		up := c.Start(t.Context(), clockTarget{})
		took = time.Since(began)
		if err := errors.Join(up, c.Close()); err != nil {
			t.Fatal(err)
		}
		t.Logf("up after %v, down after another %v", took, time.Since(began)-took)
		if took < 10*time.Second {
			return
		}
	}
	t.Errorf("5 nodes are up after %v, want less than 10s", took)
}

// playController opens a cluster, breaks it and waits to be killed.
func playController() {
	c, err := openWith(context.Background(), os.Args[0], []string{"n1", "n2"})
	if err == nil {
		err = c.Start(context.Background(), clockTarget{})
	}
	if err == nil {
		err = c.Impose(context.Background(), "pause", map[string]fallacy.Condition{"n1": {Process: fallacy.Paused, Clock: fallacy.Skew{Offset: time.Hour}}})
	}
	fmt.Println("broken", err)
	select {}
}

// brokenRun starts a controller in a process of its own, has its cluster broken,
// kills it, and returns the part of labels that its things have.
func brokenRun(t *testing.T) (label string) {
	t.Helper()
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), "FALLACY_TEST_PART=controller")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 2000)
	n, _ := out.Read(line)
	if got := string(line[:n]); got != "broken <nil>\n" {
		t.Errorf("the controller says %q", got)
	}
	label = fmt.Sprintf("/%d/", cmd.Process.Pid)
	if c, _, _ := there(t, label); c != 2 {
		t.Errorf("2 nodes have %d containers: the test is blind", c)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return label
}

// there counts what Docker has of a controller.
func there(t *testing.T, controller string) (containers, networks, volumes int) {
	t.Helper()
	d := needDocker(t)
	mine := func(labels map[string]string) int {
		if strings.Contains(labels["fallacy.controller"], controller) {
			return 1
		}
		return 0
	}
	cs, err1 := d.ContainerList(t.Context(), client.ContainerListOptions{All: true})
	ns, err2 := d.NetworkList(t.Context(), client.NetworkListOptions{})
	vs, err3 := d.VolumeList(t.Context(), client.VolumeListOptions{})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	for _, c := range cs.Items {
		containers += mine(c.Labels)
	}
	for _, n := range ns.Items {
		networks += mine(n.Labels)
	}
	for _, v := range vs.Items {
		volumes += mine(v.Labels)
	}
	return containers, networks, volumes
}

func TestControllerKilledLeavesNothing(t *testing.T) {
	needDocker(t)
	label := brokenRun(t)
	eventually(t, func() error { // by itself
		if c, _, v := there(t, label); c+v > 0 {
			return fmt.Errorf("%d containers and %d volumes are left behind", c, v)
		}
		return nil
	})
	left, err := docker.Leftovers(t.Context())
	if _, n, _ := there(t, label); err != nil || len(left) == 0 && n > 0 {
		// With no network either, the heal of a test beside this one was faster.
		t.Fatalf("leftovers: got %v, %v; want the network", left, err)
	}
	for _, l := range left {
		if err := l.Heal(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if c, n, v := there(t, label); c+n+v > 0 {
		t.Errorf("heal left %d containers, %d networks, %d volumes", c, n, v)
	}
}

func TestNextRunRemovesLeftovers(t *testing.T) {
	needDocker(t)
	label := brokenRun(t) // its containers are still there, or on their way out
	open(t, "n1")
	if c, n, v := there(t, label); c+n+v > 0 {
		t.Errorf("the next run left %d containers, %d networks, %d volumes", c, n, v)
	}
	self := fmt.Sprintf("/%d/", os.Getpid())
	if c, n, v := there(t, self); c != 1 || n != 1 || v != 1 {
		t.Errorf("a run of one node has %d containers, %d networks, %d volumes; want one of each", c, n, v)
	}
}

func TestAgentThatEndsAtOnceSaysWhy(t *testing.T) {
	needDocker(t)
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	// Without a part to play the test binary takes the agent's flags for its own.
	d, err := docker.New(t.Context(), docker.Options{Binary: binary})
	if err != nil {
		t.Fatal(err)
	}
	c, err := remote.Open(t.Context(), d, remote.Options{Nodes: []string{"n1"}, Ports: []string{"client"}})
	if err == nil {
		c.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "flag provided but not defined: -dir") {
		t.Errorf("got %v, want what the agent said", err)
	}
	if c, n, v := there(t, fmt.Sprintf("/%d/", os.Getpid())); c+n+v > 0 {
		t.Errorf("it left %d containers, %d networks, %d volumes", c, n, v)
	}
}
