package ssh_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/remotetest"
	"github.com/fallacy-dev/fallacy/remote/ssh"
)

func openWith(ctx context.Context, opts ssh.Options, nodes ...string) (*remote.Cluster, error) {
	opts.Env = []string{remotetest.Part + "=agent"}
	d, err := ssh.New(opts)
	if err != nil {
		return nil, err
	}
	return remote.Open(ctx, d, remote.Options{Nodes: nodes, Ports: []string{"client"}, Seed: 1, Deadline: 3 * time.Second})
}

func (s site) options(t *testing.T) ssh.Options {
	t.Helper()
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	return ssh.Options{Binary: binary, Config: s.config}
}

func TestConditionsTakeEffectAndHeal(t *testing.T) {
	for _, c := range []struct {
		name         string
		six, packets bool
	}{{"packets, IPv4", false, true}, {"packets, IPv6", true, true}, {"doors", false, false}} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("takes half a minute: leave out -short")
			}
			s := newSite(t, c.six)
			opts := s.options(t)
			opts.Packets = c.packets
			cluster, err := openWith(t.Context(), opts, machines...)
			remotetest.Start(t, cluster, err)
			if err := cluster.Lacks(fallacy.NeedPackets); c.packets != (err == nil) {
				t.Fatalf("packets: %v", err)
			}
			if c.packets { // doors are remote/local's business
				remotetest.Conform(t, cluster)
			}
		})
	}
}

// leftBehind returns the directories of the controller with a process ID.
func leftBehind(t *testing.T, pid int) (dirs []string) {
	t.Helper()
	all, err := filepath.Glob("/tmp/fallacy-ssh-*/owner")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		if text, _ := os.ReadFile(path); strings.Contains(string(text), fmt.Sprintf("/%d/", pid)) {
			dirs = append(dirs, path)
		}
	}
	return dirs
}

func rules(t *testing.T, machine string) string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", os.Getenv(namespace)+machine, "nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatalf("nft is needed to see what is left behind: %v: %s", err, out)
	}
	return string(out)
}

func TestHostsAreFoundAsSSHFindsThem(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while: leave out -short")
	}
	s := newSite(t, false)
	opts := s.options(t)
	for name, c := range map[string]struct {
		change func(o *ssh.Options)
		node   string
	}{
		"through a jump host of the configuration": {func(*ssh.Options) {}, "far"},
		"through a jump host that is named":        {func(o *ssh.Options) { o.Jump = "n3" }, "n2"},
		"without a configuration": {func(o *ssh.Options) {
			o.Config, o.User, o.Key, o.KnownHosts = filepath.Join(s.dir, "none"), "root", s.key, s.known
		}, address(0, false)},
		"with a user in the name": {func(o *ssh.Options) {}, "root@n1"},
	} {
		t.Run(name, func(t *testing.T) {
			o := opts
			c.change(&o)
			if _, err := os.Stat(o.Config); err != nil {
				write(t, o.Config, "")
			}
			cluster, err := openWith(t.Context(), o, c.node)
			remotetest.Start(t, cluster, err)
		})
	}
}

func TestBinaryTakesThePlaceOfTheProgram(t *testing.T) {
	s := newSite(t, false)
	opts := s.options(t)
	opts.Program, opts.Target = opts.Binary, fallacy.Image{Programs: []string{"some-server"}}
	cluster, err := openWith(t.Context(), opts, "n1")
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	if err := cluster.Start(t.Context(), program{}); err != nil {
		t.Fatal(err)
	}
	remotetest.Eventually(t, func() error { return program{}.Ready(t.Context(), cluster.Nodes()[0]) })
}

// program is a target that is found by its name.
type program struct{ remotetest.Target }

func (program) Process(n fallacy.Node, _ []fallacy.Node) (fallacy.Process, error) {
	return fallacy.Process{Argv: []string{"some-server", n.Listen["client"]}}, nil
}

func TestWhatIsWrongIsOneSentence(t *testing.T) {
	s := newSite(t, false)
	opts := s.options(t)
	stranger, _ := newKey(t, filepath.Join(s.dir, "stranger"))
	empty, other := filepath.Join(s.dir, "empty"), filepath.Join(s.dir, "other")
	write(t, empty, "")
	known, err := os.ReadFile(s.known)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(known), "\n")
	write(t, other, strings.Replace(lines[1], address(1, false), address(0, false), 1)+"\n")
	for name, c := range map[string]struct {
		change func(o *ssh.Options)
		node   string
		want   string
	}{
		"wrong key":        {func(o *ssh.Options) { o.Key = stranger }, "n1", "n1 (10.98.0.1:22) does not let root in with any of the keys and passwords that there are"},
		"no key":           {func(o *ssh.Options) { o.Key = "/nowhere/key" }, "n1", "read the key: open /nowhere/key"},
		"unknown host key": {func(o *ssh.Options) { o.KnownHosts = empty }, "n1", "the host key of n1 (10.98.0.1:22) is not in " + empty + ": log in by hand once and compare, or add it with ssh-keyscan -p 22 10.98.0.1 >> " + empty},
		"another host key": {func(o *ssh.Options) { o.KnownHosts = other }, "n1", "the host key of n1 (10.98.0.1:22) is not the one in " + other + ", line 1"},
		"node down":        {func(*ssh.Options) {}, "10.98.0.99", "10.98.0.99 is not reached at 10.98.0.99:22"},
		"nobody listens":   {func(o *ssh.Options) { o.Port = 2222 }, "n1", "connection refused"},
		"jump host down":   {func(o *ssh.Options) { o.Jump = "10.98.0.99" }, "n1", "10.98.0.99 is not reached at 10.98.0.99:22"},
	} {
		t.Run(name, func(t *testing.T) {
			o := opts
			c.change(&o)
			if name == "node down" || name == "jump host down" {
				o.Key, o.KnownHosts = s.key, s.known
			}
			cluster, err := openWith(t.Context(), o, c.node)
			if err == nil {
				cluster.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want a sentence with %q", err, c.want)
			}
		})
	}
}

// playController opens a cluster, breaks it and waits to be killed.
func playController() {
	opts := ssh.Options{Binary: os.Args[0], Config: os.Getenv("FALLACY_TEST_CONFIG"), Packets: true}
	c, err := openWith(context.Background(), opts, "n1", "n2")
	if err == nil {
		err = c.Start(context.Background(), remotetest.Target{})
	}
	if err == nil {
		err = c.Impose(context.Background(), "broken", map[string]fallacy.Condition{
			"n1": {Process: fallacy.Paused, Links: map[string]fallacy.Link{"n2": {Cut: true}}},
		})
	}
	fmt.Println("broken", err)
	select {}
}

// brokenRun starts a controller in a process of its own, and returns it when it
// has cut n1 off from n2.
func brokenRun(t *testing.T, s site, binary string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), remotetest.Part+"=controller", "FALLACY_TEST_CONFIG="+s.config)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line := make([]byte, 2000)
	n, _ := out.Read(line)
	if got := string(line[:n]); got != "broken <nil>\n" {
		t.Fatalf("the controller says %q", got)
	}
	if got := rules(t, "n2"); !strings.Contains(got, cutRule) {
		t.Errorf("the test is blind: %s", got)
	}
	return cmd
}

// cutRule is what nft shows of the cut that brokenRun makes.
const cutRule = "ip saddr 10.98.0.1 drop"

// A controller that hangs gives no sign of life, although its session stands.
func TestSilenceHeals(t *testing.T) {
	s := newSite(t, false)
	cmd := brokenRun(t, s, s.options(t).Binary)
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	remotetest.Eventually(t, func() error {
		if got := rules(t, "n2"); strings.Contains(got, cutRule) {
			return fmt.Errorf("still in force: %s", got)
		}
		return nil
	})
}

func TestControllerKilledLeavesNoFaultBehind(t *testing.T) {
	s := newSite(t, false)
	opts := s.options(t)
	cmd := brokenRun(t, s, opts.Binary)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	remotetest.Eventually(t, func() error { // by itself
		if got := rules(t, "n1") + rules(t, "n2"); got != "" {
			return fmt.Errorf("left behind: %s", got)
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// All machines have one file system here: each sees the directories of both.
	if left := leftBehind(t, cmd.Process.Pid); len(left) != 2 {
		t.Errorf("%v are there, want two directories: the test is blind", left)
	}
	if _, err := opts.Heal(ctx, []string{"n1"}); err != nil {
		t.Error(err)
	}
	if left := leftBehind(t, cmd.Process.Pid); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
