package local_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/local"
	"github.com/fallacy-dev/fallacy/remote/remotetest"
)

// The test binary plays all the parts: the agent, the target, a controller.
func TestMain(m *testing.M) {
	if !remotetest.Play(map[string]func(){"controller": controller}) {
		os.Exit(m.Run())
	}
}

func open(t *testing.T, nodes ...string) *remote.Cluster {
	t.Helper()
	c, err := openWith(t.Context(), nodes)
	return remotetest.Start(t, c, err)
}

func openWith(ctx context.Context, nodes []string) (*remote.Cluster, error) {
	os.Setenv(remotetest.Part, "agent")
	defer os.Setenv(remotetest.Part, "")
	d, err := local.New(os.Args[0])
	if err != nil {
		return nil, err
	}
	return remote.Open(ctx, d, remote.Options{Nodes: nodes, Ports: []string{"client"}, Seed: 1})
}

func TestConditionsTakeEffectAndHeal(t *testing.T) {
	c := open(t, "n1", "n2", "n3")
	if err := c.Lacks(fallacy.NeedClock); err != nil && strings.Contains(os.Getenv("FALLACY_REQUIRE"), "root") {
		t.Fatal("FALLACY_REQUIRE asks for root, where clocks can be skewed: ", err)
	}
	// Packets of processes on one machine are the machine's own.
	if err := c.Lacks(fallacy.NeedPackets); err == nil || !strings.Contains(err.Error(), "nodes share the network of their machine") {
		t.Errorf("packets: got %v, want why they are left alone", err)
	}
	remotetest.Conform(t, c)
}

func TestVerifyNoticesWhatSomebodyUndid(t *testing.T) {
	c := open(t, "n1", "n2")
	kill := map[string]fallacy.Condition{"n1": {Process: fallacy.Paused}}
	evidence := remotetest.Impose(t, c, "pause", kill)
	var pid int
	if _, err := fmt.Sscanf(evidence[strings.Index(evidence, "process "):], "process %d", &pid); err != nil {
		t.Fatal(evidence, err)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	remotetest.Eventually(t, func() error {
		if _, err := c.Verify(t.Context(), "pause"); err == nil || !strings.Contains(err.Error(), "n1: process:") {
			return fmt.Errorf("somebody resumed the process: got %v", err)
		}
		return nil
	})
}

// controller opens a cluster, breaks it and waits to be killed.
func controller() {
	c, err := openWith(context.Background(), []string{"n1", "n2"})
	if err == nil {
		err = c.Start(context.Background(), remotetest.Target{})
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
	cmd.Env = append(os.Environ(), remotetest.Part+"=controller", "TMPDIR="+tmp)
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
	remotetest.Eventually(t, gone(t, tmp))
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
	remotetest.Eventually(t, gone(t, tmp))
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
