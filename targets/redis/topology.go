package redis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// topology is how nodes are put together.
type topology struct {
	name  string
	doc   string
	fsync string // appendfsync
	least int    // nodes
	most  int
}

const (
	single      = "single"
	sentinel    = "sentinel"
	clustered   = "cluster"
	independent = "independent"
)

// sentinels are how many of the last nodes watch over the others.
const sentinels = 3

func topologies() []topology {
	return []topology{
		{single, "one server, its append-only file synced before each answer", "always", 1, 1},
		{single + "-everysec", "one server, its append-only file synced every second", "everysec", 1, 1},
		{sentinel, "the last three nodes are Sentinels, the others a primary and its replicas", "always", 5, 99},
		{clustered, "Redis Cluster: up to five primaries; from six nodes on three, and replicas", "always", 3, 99},
		{independent, "servers that know nothing of each other, for Redlock", "always", 1, 99},
	}
}

// pickTopology returns the topology called name, or the default for so many nodes.
func pickTopology(name string, nodes int) (topology, error) {
	if name == "" {
		if name = single; nodes > 1 {
			name = sentinel
		}
	}
	all := topologies()
	i := slices.IndexFunc(all, func(t topology) bool { return t.name == name })
	if i < 0 {
		var names []string
		for _, t := range all {
			names = append(names, t.name)
		}
		return topology{}, fmt.Errorf("redis has no topology %q: there is %s", name, strings.Join(names, ", "))
	}
	switch t := all[i]; {
	case nodes < t.least:
		return t, fmt.Errorf("redis as %s needs at least %d nodes, and there are %d: use --nodes %d", name, t.least, nodes, t.least)
	case nodes > t.most:
		return t, fmt.Errorf("redis as %s is %d node, and there are %d: use --nodes %d, or another --topology", name, t.most, nodes, t.most)
	default:
		return t, nil
	}
}

// isSentinel tells whether the ith of so many nodes is a Sentinel.
func (t topology) isSentinel(i, nodes int) bool { return t.name == sentinel && i >= nodes-sentinels }

// primaries is how many nodes of a Cluster have slots of their own at first.
func primariesOf(nodes int) int {
	if nodes < 6 {
		return nodes
	}
	return 3
}

func indexOf(cluster []fallacy.Node, name string) int {
	return slices.IndexFunc(cluster, func(n fallacy.Node) bool { return n.Name == name })
}
