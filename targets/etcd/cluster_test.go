package etcd

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/internal/require"
	"github.com/fallacy-dev/fallacy/targets/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m) }

// start starts a cluster on this machine and waits until every member serves.
func start(t *testing.T, nodes int) fallacy.Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT TESTED: it takes a while")
	}
	require.Program(t, "etcd", "etcd")
	return targettest.Start(t, Kind, fallacy.TargetOptions{Nodes: nodes})
}

// A leader that is cut off loses its office and takes no more writes; a member that
// was killed comes back; nothing that was acknowledged is lost.
func TestPartitionAndKill(t *testing.T) {
	c := start(t, 3)
	v, err := c.Target.(fallacy.Versions).Version(t.Context(), c.Nodes[0])
	if err != nil || !regexp.MustCompile(`^3\.\d+\.\d+`).MatchString(v) {
		t.Errorf("a member says it is %q, %v", v, err)
	}
	conns := make(map[string]*Conn)
	for _, n := range c.Nodes {
		conns[n.Name] = connect(t, n.Public["client"])
	}
	write := func(node string, value int) func(context.Context) error {
		return func(ctx context.Context) error { return conns[node].Write(ctx, "x", value) }
	}
	var old string
	targettest.Eventually(t, "a leader", func(ctx context.Context) (err error) {
		old, err = leaderBut(ctx, c, "")
		return err
	})
	targettest.Eventually(t, "a write", write(old, 1))

	targettest.Impose(t, c, "partition", targettest.Isolated(c, old))
	var next string
	targettest.Eventually(t, "another leader", func(ctx context.Context) (err error) {
		next, err = leaderBut(ctx, c, old)
		return err
	})
	targettest.Eventually(t, "a write by the majority", write(next, 2))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := conns[old].Write(ctx, "y", 3); err == nil {
		t.Errorf("%s is cut off from a majority and acknowledged a write: the links between members are not cut", old)
	}
	if value, found, err := conns[old].Read(t.Context(), "nothing"); err == nil {
		t.Errorf("%s is cut off from a majority and answered a linearizable read: %d, %v", old, value, found)
	}
	targettest.Impose(t, c, "partition", nil)

	targettest.Impose(t, c, "kill", map[string]fallacy.Condition{next: {Process: fallacy.Killed}})
	targettest.Eventually(t, "a write without "+next, write(old, 4))
	targettest.Impose(t, c, "kill", nil)
	for name, conn := range conns {
		targettest.Eventually(t, name+" sees the last write", func(ctx context.Context) error {
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
