// Package targettest starts targets on this machine and breaks things around them,
// for the test files of targets.
package targettest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/local"
)

// Main is TestMain for a package that calls [Start]: the test binary is the agent as
// well, and is that when its first argument is "agent".
func Main(m *testing.M) {
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

// Start starts a cluster of nodes n1, n2 and so on, waits until every one serves, and
// has it and the target closed at the end of the test.
func Start(t *testing.T, kind *fallacy.TargetKind, opts fallacy.TargetOptions) fallacy.Cluster {
	t.Helper()
	made, err := kind.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, opts.Nodes)
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
	ports := []string{"client"}
	if p, ok := made.(fallacy.Ports); ok {
		ports = p.Ports()
	}
	c, err := remote.Open(t.Context(), dialer, remote.Options{Nodes: names, Ports: ports, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := c.Close()
		if closer, ok := made.(io.Closer); ok {
			err = errors.Join(err, closer.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
	if err := c.Start(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes() {
		Eventually(t, "ready "+n.Name, func(ctx context.Context) error { return made.Ready(ctx, n) })
	}
	return fallacy.Cluster{Nodes: c.Nodes(), Target: made, Control: c}
}

// Bounds of [Eventually].
const (
	patience    = time.Minute
	tryPatience = 2 * time.Second
	tryEvery    = 50 * time.Millisecond
)

// Eventually waits until try returns nil, and fails t if that does not come.
func Eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(tryEvery)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), tryPatience)
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

// Impose breaks something, or mends it with nil, and sees to it that this is so.
func Impose(t *testing.T, c fallacy.Cluster, fault string, conditions map[string]fallacy.Condition) {
	t.Helper()
	if err := c.Impose(t.Context(), fault, conditions); err != nil {
		t.Fatal(err)
	}
	if seen, err := c.Verify(t.Context(), fault); err != nil {
		t.Fatalf("%v: %v", seen, err)
	}
}

// Isolated are the conditions under which a node and all others do not hear each other.
func Isolated(c fallacy.Cluster, name string) map[string]fallacy.Condition {
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
