package docker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/docker"
	"github.com/fallacy-dev/fallacy/remote/remotetest"
	"github.com/moby/moby/client"
)

func openWith(ctx context.Context, binary string, packets bool, nodes ...string) (*remote.Cluster, error) {
	d, err := docker.New(ctx, docker.Options{Binary: binary, Env: []string{remotetest.Part + "=agent", remotetest.Orphans + "=1"}, Packets: packets})
	if err != nil {
		return nil, err
	}
	return remote.Open(ctx, d, remote.Options{Nodes: nodes, Ports: []string{"client"}, Seed: 1})
}

func open(t *testing.T, packets bool, nodes ...string) *remote.Cluster {
	t.Helper()
	needDocker(t)
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	c, err := openWith(t.Context(), binary, packets, nodes...)
	return remotetest.Start(t, c, err)
}

func TestConditionsTakeEffectAndHeal(t *testing.T) {
	for name, packets := range map[string]bool{"packets": true, "doors": false} {
		t.Run(name, func(t *testing.T) {
			if packets {
				long(t)
			}
			c := open(t, packets, "n1", "n2", "n3")
			if err := c.Lacks(fallacy.NeedPackets); packets != (err == nil) {
				t.Fatalf("packets: %v", err)
			}
			if err := c.Lacks(fallacy.NeedClock); err != nil {
				t.Error(err)
			}
			remotetest.Conform(t, c)
			t.Run("orphans are reaped", func(t *testing.T) { orphans(t, c.Nodes()[2]) })
		})
	}
}

// orphans wants three processes in the container, PID 1, the agent and the target, and none dead.
func orphans(t *testing.T, n fallacy.Node) {
	remotetest.Eventually(t, func() error {
		a, err := remotetest.Ask(n)
		if err != nil || a.Processes != 3 || a.Zombies != 0 {
			return fmt.Errorf("%d processes, %d zombies, %w; want 3 and 0", a.Processes, a.Zombies, err)
		}
		return nil
	})
}

// How long five nodes take is for people to read; a busy machine takes longer,
// but not for ever.
func TestFiveNodesAreUpSoon(t *testing.T) {
	long(t)
	needDocker(t)
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := openWith(ctx, binary, true, "n1", "n2", "n3", "n4", "n5")
	if err != nil {
		t.Fatal(err)
	}
	up := c.Start(ctx, remotetest.Target{})
	took := time.Since(began)
	if err := errors.Join(up, c.Close()); err != nil {
		t.Fatal(err)
	}
	t.Logf("up after %v, down after another %v", took, time.Since(began)-took)
}

// playController opens a cluster, breaks it and waits to be killed.
func playController() {
	c, err := openWith(context.Background(), os.Args[0], true, "n1", "n2")
	if err == nil {
		err = c.Start(context.Background(), remotetest.Target{})
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
	cmd.Env = append(os.Environ(), remotetest.Part+"=controller")
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
	remotetest.Eventually(t, func() error { // by itself
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
	long(t)
	needDocker(t)
	label := brokenRun(t) // its containers are still there, or on their way out
	open(t, false, "n1")
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
