package redis

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// service is the name by which Sentinels know the servers together.
const service = "main"

// config is lines of a configuration.
type config struct{ strings.Builder }

func (c *config) set(format string, args ...any) { fmt.Fprintf(c, format+"\n", args...) }

// common is what servers and Sentinels have in common.
func (t *target) common(c *config, n fallacy.Node) {
	host, port := split(n.Listen["client"])
	c.set("bind %s", host)
	c.set("port %d", port)
	c.set("protected-mode no")
	c.set("dir %s", n.Dir)
	if from := t.ways.from[n.Name]; from != "" {
		c.set("bind-source-addr %s", from)
	}
}

// server is the configuration of a server: what Redis has by default, but for an
// append-only file instead of snapshots, and times that suit faults of seconds.
func (t *target) server(n fallacy.Node, cluster []fallacy.Node) string {
	var c config
	t.common(&c, n)
	c.set("appendonly yes")
	c.set("appendfsync %s", t.fsync)
	c.set(`save ""`)
	host, port := split(t.ways.addr[n.Name]["client"])
	switch t.name {
	case sentinel:
		c.set("replica-announce-ip %s", host)
		c.set("replica-announce-port %d", port)
		c.set("repl-ping-replica-period 1")
		c.set("repl-timeout 4")
		c.set("repl-diskless-sync-delay 0")
		if first := cluster[0]; n.Name != first.Name {
			host, port := split(t.ways.addr[first.Name]["client"])
			c.set("replicaof %s %d", host, port)
		}
	case clustered:
		_, listens := split(n.Listen["bus"])
		_, bus := split(t.ways.addr[n.Name]["bus"])
		c.set("cluster-enabled yes")
		c.set("cluster-config-file nodes.conf")
		c.set("cluster-node-timeout 2000")
		c.set("cluster-port %d", listens)
		c.set("cluster-announce-ip %s", host)
		c.set("cluster-announce-port %d", port)
		c.set("cluster-announce-bus-port %d", bus)
		c.set("repl-diskless-sync-delay 0")
	}
	return c.String()
}

// watcher is the configuration of a Sentinel. Every Sentinel is told of one
// server and finds the rest by itself.
func (t *target) watcher(n fallacy.Node, cluster []fallacy.Node) string {
	var c config
	t.common(&c, n)
	first, firstPort := split(t.ways.addr[cluster[0].Name]["client"])
	host, port := split(t.ways.addr[n.Name]["client"])
	c.set("sentinel monitor %s %s %d %d", service, first, firstPort, sentinels/2+1)
	c.set("sentinel down-after-milliseconds %s 1000", service)
	c.set("sentinel failover-timeout %s 1000", service)
	c.set("sentinel announce-ip %s", host)
	c.set("sentinel announce-port %d", port)
	return c.String()
}

// slots is how many there are in a Cluster.
const slots = 16384

func clusterID(n fallacy.Node) string {
	sum := sha1.Sum([]byte("fallacy " + n.Name))
	return hex.EncodeToString(sum[:])
}

// nodesConf is the Cluster as n knows it before it has met anybody, in the format
// in which Redis keeps it: each primary has a share of the slots, and replicas
// follow primaries in turn.
func (t *target) nodesConf(n fallacy.Node, cluster []fallacy.Node) string {
	var c config
	primaries := primariesOf(len(cluster))
	for i, m := range cluster {
		host, port := split(t.ways.addr[m.Name]["client"])
		_, bus := split(t.ways.addr[m.Name]["bus"])
		flags, of, share, epoch := "master", "-", fmt.Sprintf(" %d-%d", i*slots/primaries, (i+1)*slots/primaries-1), i+1
		if i >= primaries {
			flags, of, share, epoch = "slave", clusterID(cluster[i%primaries]), "", i%primaries+1
		}
		if m.Name == n.Name {
			flags = "myself," + flags
		}
		c.set("%s %s:%d@%d %s %s 0 0 %d connected%s", clusterID(m), host, port, bus, flags, of, epoch, share)
	}
	c.set("vars currentEpoch %d lastVoteEpoch 0", primaries)
	return c.String()
}
