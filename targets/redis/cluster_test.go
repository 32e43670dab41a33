package redis

import (
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/internal/require"
	"github.com/fallacy-dev/fallacy/targets/targettest"
)

func TestMain(m *testing.M) { targettest.Main(m) }

// start starts a cluster on this machine and waits until every node serves.
func start(t *testing.T, topology string, nodes int) fallacy.Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT TESTED: it takes a while")
	}
	require.Program(t, "redis", "redis-server")
	return targettest.Start(t, Kind, fallacy.TargetOptions{Nodes: nodes, Topology: topology})
}
