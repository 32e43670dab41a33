package etcd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
	"github.com/fallacy-dev/fallacy/internal/require"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/local"
)

// The test binary is the agent as well.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "agent" {
		if err := agent.Serve(context.Background(), stdio{}, agent.Options{Dir: os.Args[len(os.Args)-1], Host: "127.0.0.1"}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

type stdio struct{}

func (stdio) Read(p []byte) (int, error)  { return os.Stdin.Read(p) }
func (stdio) Write(p []byte) (int, error) { return os.Stdout.Write(p) }
func (stdio) Close() error                { return os.Stdin.Close() }

// start starts a cluster on this machine and waits until every node serves.
func start(t *testing.T, nodes int) fallacy.Cluster {
	t.Helper()
	made, err := Kind.New(fallacy.TargetOptions{Nodes: nodes})
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, nodes)
	for i := range names {
		names[i] = fmt.Sprintf("n%d", i+1)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dialer, err := local.New(self, "agent")
	if err != nil {
		t.Fatal(err)
	}
	c, err := remote.Open(t.Context(), dialer, remote.Options{Nodes: names, Ports: made.(fallacy.Ports).Ports(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), made.(*target).Close()); err != nil {
			t.Error(err)
		}
	})
	if err := c.Start(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes() {
		eventually(t, "ready "+n.Name, func(ctx context.Context) error { return made.Ready(ctx, n) })
	}
	return fallacy.Cluster{Nodes: c.Nodes(), Target: made, Control: c}
}

// eventually waits until try returns nil.
func eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := try(ctx)
		cancel()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// impose breaks something and sees to it that it is broken.
func impose(t *testing.T, c fallacy.Cluster, fault string, conditions map[string]fallacy.Condition) {
	t.Helper()
	if err := c.Impose(t.Context(), fault, conditions); err != nil {
		t.Fatal(err)
	}
	if seen, err := c.Verify(t.Context(), fault); err != nil {
		t.Fatalf("%v: %v", seen, err)
	}
}

// isolated are the conditions under which a node and all others do not hear each other.
func isolated(c fallacy.Cluster, name string) map[string]fallacy.Condition {
	cut := func(names ...string) fallacy.Condition {
		links := make(map[string]fallacy.Link)
		for _, n := range names {
			links[n] = fallacy.Link{Cut: true}
		}
		return fallacy.Condition{Links: links}
	}
	conditions := make(map[string]fallacy.Condition)
	var others []string
	for _, n := range c.Names() {
		if n != name {
			others = append(others, n)
			conditions[n] = cut(name)
		}
	}
	conditions[name] = cut(others...)
	return conditions
}

// A leader that is cut off loses its office and takes no more writes; a member that
// was killed comes back; nothing that was acknowledged is lost.
func TestPartitionAndKill(t *testing.T) {
	if testing.Short() {
		t.Skip("NOT TESTED: it takes a while")
	}
	require.Program(t, "etcd", "etcd")
	c := start(t, 3)
	conns := make(map[string]*Conn)
	for _, n := range c.Nodes {
		conns[n.Name] = connect(t, n.Public["client"])
	}
	write := func(node string, value int) func(context.Context) error {
		return func(ctx context.Context) error { return conns[node].Write(ctx, "x", value) }
	}
	var old string
	eventually(t, "a leader", func(ctx context.Context) (err error) {
		old, err = leaderBut(ctx, c, "")
		return err
	})
	eventually(t, "a write", write(old, 1))

	impose(t, c, "partition", isolated(c, old))
	var next string
	eventually(t, "another leader", func(ctx context.Context) (err error) {
		next, err = leaderBut(ctx, c, old)
		return err
	})
	eventually(t, "a write by the majority", write(next, 2))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := conns[old].Write(ctx, "y", 3); err == nil {
		t.Errorf("%s is cut off from a majority and acknowledged a write: the links between members are not cut", old)
	}
	if value, found, err := conns[old].Read(t.Context(), "nothing"); err == nil {
		t.Errorf("%s is cut off from a majority and answered a linearizable read: %d, %v", old, value, found)
	}
	impose(t, c, "partition", nil)

	impose(t, c, "kill", map[string]fallacy.Condition{next: {Process: fallacy.Killed}})
	eventually(t, "a write without "+next, write(old, 4))
	impose(t, c, "kill", nil)
	for name, conn := range conns {
		eventually(t, name+" sees the last write", func(ctx context.Context) error {
			value, _, err := conn.Read(ctx, "x")
			if err == nil && value != 4 {
				t.Fatalf("%s: x is %d, want 4", name, value)
			}
			return err
		})
	}
}

// leaderBut returns the leader, if there is exactly one besides a node.
func leaderBut(ctx context.Context, c fallacy.Cluster, but string) (string, error) {
	leaders, err := c.Target.(fallacy.Primaries).Primaries(ctx, c.Nodes)
	leaders = slices.DeleteFunc(leaders, func(name string) bool { return name == but })
	if err == nil && len(leaders) != 1 {
		err = fmt.Errorf("leaders are %v", leaders)
	}
	if err != nil {
		return "", err
	}
	return leaders[0], nil
}
