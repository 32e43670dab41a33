package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
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
func start(t *testing.T, topology string, nodes int) fallacy.Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT TESTED: it takes a while")
	}
	require.Program(t, "redis", "redis-server")
	made, err := Kind.New(fallacy.TargetOptions{Nodes: nodes, Topology: topology})
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
