package local_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/local"
)

// The test binary plays all the parts: the agent, the target, a controller.
func TestMain(m *testing.M) {
	switch os.Getenv("FALLACY_TEST_PART") {
	case "agent":
		os.Setenv("FALLACY_TEST_PART", "target")
		if err := agent.Serve(context.Background(), stdio{}, agent.Options{Dir: os.Args[len(os.Args)-1], Host: "127.0.0.1"}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "target":
		target(os.Args[1])
	case "controller":
		controller()
	default:
		os.Exit(m.Run())
	}
}

type stdio struct{}

func (stdio) Read(p []byte) (int, error)  { return os.Stdin.Read(p) }
func (stdio) Write(p []byte) (int, error) { return os.Stdout.Write(p) }
func (stdio) Close() error                { return os.Stdin.Close() }

// target listens, and answers whoever connects with the time on its clock.
func target(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("listening")
	go func() {
		for range time.Tick(10 * time.Millisecond) { // as servers do all the time
		}
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			continue
		}
		fmt.Fprintln(c, time.Now().UnixNano())
		c.Close()
	}
}

// clockTarget is that program as a target.
type clockTarget struct{}

func (clockTarget) Process(n fallacy.Node, _ []fallacy.Node) (fallacy.Process, error) {
	return fallacy.Process{
		Argv: []string{fallacy.Self, n.Listen["client"]}, Files: map[string]string{"etc/conf": "x"}, Logs: []string{"etc/conf"},
	}, nil
}

func (t clockTarget) Ready(ctx context.Context, n fallacy.Node) error {
	_, err := skewOf(n)
	return err
}

func (clockTarget) Open(context.Context, fallacy.Node) (fallacy.Conn, error) {
	return nil, errors.New("not used")
}

// skewOf asks a node for its time.
func skewOf(n fallacy.Node) (time.Duration, error) {
	c, err := net.DialTimeout("tcp", n.Public["client"], time.Second)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	text, err := io.ReadAll(c)
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return time.Duration(ns - time.Now().UnixNano()), err
}

func open(t *testing.T, nodes ...string) *remote.Cluster {
	t.Helper()
	c, err := openWith(t.Context(), nodes)
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

func openWith(ctx context.Context, nodes []string) (*remote.Cluster, error) {
	os.Setenv("FALLACY_TEST_PART", "agent")
	defer os.Setenv("FALLACY_TEST_PART", "")
	d, err := local.New(os.Args[0])
	if err != nil {
		return nil, err
	}
	return remote.Open(ctx, d, remote.Options{Nodes: nodes, Ports: []string{"client"}, Seed: 1})
}

func eventually(t *testing.T, ok func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
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

func cut(from string, to ...string) map[string]fallacy.Condition {
	links := map[string]fallacy.Link{}
	for _, n := range to {
		links[n] = fallacy.Link{Cut: true}
	}
	return map[string]fallacy.Condition{from: {Links: links}}
}

func TestConditionsTakeEffectAndHeal(t *testing.T) {
	c := open(t, "n1", "n2", "n3")
	for _, step := range []struct {
		fault, want string
		conds       map[string]fallacy.Condition
	}{
		{"cut one way", `{"closed_links":["n1>n2"],"open_links":0}`, cut("n1", "n2")},
		{"cut from clients", `"closed_links":["clients>n3"]`, cut(fallacy.Clients, "n3")},
		{"cut to clients", `"closed_links":["n3>clients"]`, cut("n3", fallacy.Clients)},
		{"reset", `"closed_links":["n2>n3"]`, map[string]fallacy.Condition{"n2": {Links: map[string]fallacy.Link{"n3": {Reset: true}}}}},
		{"stall", `"closed_links":["n2>n3"]`, map[string]fallacy.Condition{"n2": {Links: map[string]fallacy.Link{"n3": {Stall: true}}}}},
		{"delay", `"rtt_ns":[["n2>n3",`, map[string]fallacy.Condition{"n2": {Links: map[string]fallacy.Link{"n3": {Delay: 50 * time.Millisecond}}}}},
		{"rate", `"rtt_ns":[["n2>n3",`, map[string]fallacy.Condition{"n2": {Links: map[string]fallacy.Link{"n3": {Rate: 10_000}}}}},
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
	if evidence, err := c.Verify(t.Context(), ""); err != nil {
		t.Errorf("at the end: %v (%v)", err, evidence)
	}
}

func TestClock(t *testing.T) {
	c := open(t, "n1", "n2")
	if err := c.Lacks(fallacy.NeedClock); err != nil {
		if strings.Contains(os.Getenv("FALLACY_REQUIRE"), "root") {
			t.Fatal("FALLACY_REQUIRE asks for root, where clocks can be skewed: ", err)
		}
		t.Skip("SKIPPED: no clock faults here: ", err)
	}
	step := map[string]fallacy.Condition{"n1": {Clock: fallacy.Skew{Offset: time.Hour}}}
	impose(t, c, "clock", step)
	for i, want := range []time.Duration{time.Hour, 0} {
		if skew, err := skewOf(c.Nodes()[i]); err != nil || (skew-want).Abs() > time.Second {
			t.Errorf("node %d says that its clock is off by %v, %v; want %v", i+1, skew, err, want)
		}
	}
	// A kill and a start keep the skew: it is a state, not an event.
	impose(t, c, "kill", map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}})
	impose(t, c, "kill", nil)
	eventually(t, func() error {
		if skew, err := skewOf(c.Nodes()[0]); err != nil || (skew-time.Hour).Abs() > time.Second {
			return fmt.Errorf("after a restart n1's clock is off by %v, %v; want an hour", skew, err)
		}
		return nil
	})
	impose(t, c, "clock", nil)
	if skew, err := skewOf(c.Nodes()[0]); err != nil || skew.Abs() > time.Second {
		t.Errorf("after the heal n1's clock is off by %v, %v", skew, err)
	}
}

func TestFaultsOverlap(t *testing.T) {
	c := open(t, "n1", "n2", "n3")
	impose(t, c, "partition", cut("n1", "n2"))
	impose(t, c, "delay", map[string]fallacy.Condition{"n1": {Links: map[string]fallacy.Link{"n2": {Delay: time.Millisecond}, "n3": {Delay: 20 * time.Millisecond}}}})
	impose(t, c, "kill", map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}})
	pause := map[string]fallacy.Condition{"n1": {Process: fallacy.Paused}}
	if err := c.Impose(t.Context(), "pause", pause); err != nil {
		t.Fatal(err)
	}
	if evidence, err := c.Verify(t.Context(), "pause"); err == nil || !strings.Contains(err.Error(), "ended by another fault") {
		t.Errorf("the pause of a process that is not there took effect: %v", evidence)
	}
	impose(t, c, "kill", nil) // what remains is paused
	if _, err := c.Verify(t.Context(), "pause"); err != nil {
		t.Error(err)
	}
	impose(t, c, "delay", nil)
	impose(t, c, "partition", nil)
	impose(t, c, "pause", nil)
	if _, err := c.Verify(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

func TestImposeRefuses(t *testing.T) {
	c := open(t, "n1", "n2")
	for want, conds := range map[string]map[string]fallacy.Condition{
		`there is no node "n9"`:            {"n9": {}},
		`there is no link from n1 to "n1"`: cut("n1", "n1"),
		`clients have links only`:          {fallacy.Clients: {Process: fallacy.Killed}},
	} {
		if err := c.Impose(t.Context(), "f", conds); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestVerifyNoticesWhatSomebodyUndid(t *testing.T) {
	c := open(t, "n1", "n2")
	kill := map[string]fallacy.Condition{"n1": {Process: fallacy.Paused}}
	evidence := impose(t, c, "pause", kill)
	var pid int
	if _, err := fmt.Sscanf(evidence[strings.Index(evidence, "process "):], "process %d", &pid); err != nil {
		t.Fatal(evidence, err)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if _, err := c.Verify(t.Context(), "pause"); err == nil || !strings.Contains(err.Error(), "n1: process:") {
			return fmt.Errorf("somebody resumed the process: got %v", err)
		}
		return nil
	})
}

func TestLogs(t *testing.T) {
	c := open(t, "n1", "n2")
	dir := t.TempDir()
	err := c.Logs(t.Context(), func(node, name string) (io.WriteCloser, error) {
		path := filepath.Join(dir, node, filepath.Base(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		return os.Create(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"n1/output.log": "listening\n", "n2/conf": "x"} {
		if got, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v; want %q", path, got, err, want)
		}
	}
}

// controller opens a cluster, breaks it and waits to be killed.
func controller() {
	c, err := openWith(context.Background(), []string{"n1", "n2"})
	if err == nil {
		err = c.Start(context.Background(), clockTarget{})
	}
	if err == nil {
		err = c.Impose(context.Background(), "pause", map[string]fallacy.Condition{"n1": {Process: fallacy.Paused, Clock: fallacy.Skew{Offset: time.Hour}}})
	}
	fmt.Println("broken", err)
	select {}
}

// brokenCluster starts a controller in a process of its own, in directory tmp,
// and returns it once its cluster is broken.
func brokenCluster(t *testing.T, tmp string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FALLACY_TEST_PART=controller", "TMPDIR="+tmp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 200)
	n, _ := out.Read(line)
	if got := string(line[:n]); got != "broken <nil>\n" {
		t.Fatalf("the controller says %q", got)
	}
	return cmd
}

func gone(t *testing.T, tmp string) func() error {
	return func() error {
		if left := processesIn(t, tmp); len(left) > 0 {
			return fmt.Errorf("left behind: %v", left)
		}
		return nil
	}
}

// killed ends the controller as kill -9 does.
func killed(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func TestControllerKilledLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	cmd := brokenCluster(t, tmp)
	if left := processesIn(t, tmp); len(left) != 4 {
		t.Fatalf("2 nodes have processes %v, want 2 agents and 2 targets: the test is blind", left)
	}
	killed(cmd)
	eventually(t, gone(t, tmp))
	t.Setenv("TMPDIR", tmp)
	left, err := local.Leftovers()
	if err != nil || len(left) != 1 {
		t.Fatalf("leftovers: got %v, %v; want the workspace", left, err)
	}
	if err := left[0].Heal(); err != nil {
		t.Error(err)
	}
	if dirs, _ := filepath.Glob(filepath.Join(tmp, "fallacy-local-*")); len(dirs) > 0 {
		t.Errorf("heal left %v", dirs)
	}
}

func TestHealEndsAnAgentThatHangs(t *testing.T) {
	tmp := t.TempDir()
	cmd := brokenCluster(t, tmp)
	for _, pid := range processesIn(t, tmp) {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	killed(cmd)
	t.Setenv("TMPDIR", tmp)
	left, err := local.Leftovers()
	if err != nil || len(left) != 1 {
		t.Fatalf("leftovers: got %v, %v; want a workspace", left, err)
	}
	if err := left[0].Heal(); err != nil {
		t.Error(err)
	}
	eventually(t, gone(t, tmp))
}

// processesIn returns the processes whose working directory or arguments lie below dir.
func processesIn(t *testing.T, dir string) (pids []int) {
	t.Helper()
	procs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(procs) == 0 {
		t.Skip("there is no /proc to look for processes in")
	}
	for _, p := range procs {
		cwd, _ := os.Readlink(filepath.Join(p, "cwd"))
		cmdline, _ := os.ReadFile(filepath.Join(p, "cmdline"))
		if len(cmdline) > 0 && (strings.HasPrefix(cwd, dir) || strings.Contains(string(cmdline), dir)) {
			pid, _ := strconv.Atoi(filepath.Base(p))
			pids = append(pids, pid)
		}
	}
	return pids
}
