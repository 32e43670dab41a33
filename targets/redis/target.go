package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/redis/go-redis/v9"
)

// Kind is Redis's entry in the catalogue.
var Kind = &fallacy.TargetKind{Name: "redis", Doc: manual(), New: newTarget}

const about = `Redis, version 7.0 or later

A server alone with --nodes 1, else servers with Sentinel; --topology says otherwise:

`

const claims = `
On --on local the program redis-server is found in PATH. Sentinels and Clusters call
from addresses in 127.77.0.0/24 there, which other systems than Linux do not have.

What is claimed: a server alone runs one command after the other, and does not lose
what it acknowledged if its append-only file is always synced
(https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/). Sentinel
and Cluster replicate asynchronously and say that they lose acknowledged writes in
partitions (https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/,
https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/): that
fallacy finds these is no news, but how many. Redlock is claimed to exclude others
as long as clocks run at about the same rate
(https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/). Keys expire
by the wall clock (https://redis.io/docs/latest/commands/expire/): the workload lease
is expected to find that under clock faults.`

func manual() string {
	var b strings.Builder
	b.WriteString(about)
	for _, t := range topologies() {
		fmt.Fprintf(&b, "  %-16s %s\n", t.name, t.doc)
	}
	b.WriteString(claims)
	return b.String()
}

type target struct {
	topology
	grants atomic.Int64 // locks granted, as clients saw it

	mu      sync.Mutex
	ways    ways
	cluster []fallacy.Node
}

func newTarget(opts fallacy.TargetOptions) (fallacy.Target, error) {
	if opts.Bug != "" {
		return nil, fmt.Errorf("redis has no planted bugs, so there is no %q", opts.Bug)
	}
	t, err := pickTopology(opts.Topology, opts.Nodes)
	if err != nil {
		return nil, err
	}
	redis.SetLogger(silent{})
	return &target{topology: t}, nil
}

// Ports returns the names of the ports that every node listens on.
func (t *target) Ports() []string {
	if t.name == clustered {
		return []string{"client", "bus"}
	}
	return []string{"client"}
}

// Image says where Redis comes from.
func (*target) Image() fallacy.Image {
	return fallacy.Image{Name: "redis:7.4", Programs: []string{"redis-server"}}
}

// Process says how to run a node.
func (t *target) Process(n fallacy.Node, cluster []fallacy.Node) (fallacy.Process, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.name == sentinel || t.name == clustered {
		if err := t.ways.learn(cluster, t.Ports()); err != nil {
			return fallacy.Process{}, err
		}
	}
	t.cluster = slices.Clone(cluster)
	p := fallacy.Process{Argv: []string{"redis-server", n.Dir + "/redis.conf"}, Files: map[string]string{}}
	if t.isSentinel(indexOf(cluster, n.Name), len(cluster)) {
		p.Argv = append(p.Argv, "--sentinel")
		p.Files["redis.conf"] = t.watcher(n, cluster)
		return p, nil
	}
	p.Files["redis.conf"] = t.server(n, cluster)
	if t.name == clustered {
		p.Files["nodes.conf"] = t.nodesConf(n, cluster)
	}
	return p, nil
}

// Close shuts the ways between nodes that were made for them.
func (t *target) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ways.close()
}

// Open connects to n, at the first operation.
func (t *target) Open(_ context.Context, n fallacy.Node) (fallacy.Conn, error) {
	if n.Public["client"] == "" {
		return nil, fmt.Errorf("no way to the client port of %s", n.Name)
	}
	c := newConn(t, n)
	if t.name == independent {
		return lockOnly{c}, nil
	}
	return c, nil
}

// Ready returns nil once n serves, and knows what it needs to know of the others.
func (t *target) Ready(ctx context.Context, n fallacy.Node) error {
	w := newWire(n)
	defer w.close()
	role, err := w.role(ctx)
	if err != nil {
		return err
	}
	switch {
	case role == "sentinel":
		return w.watches(ctx)
	case t.name == clustered:
		info, err := w.client.ClusterInfo(ctx).Result()
		if err == nil && !strings.Contains(info, "cluster_state:ok") {
			err = errors.New("the cluster is not complete")
		}
		return err
	}
	return nil
}

// Primaries returns the nodes that believe they are primaries; those that do not
// answer soon are left out.
func (t *target) Primaries(ctx context.Context, cluster []fallacy.Node) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
	defer cancel()
	leads := make([]bool, len(cluster))
	var all sync.WaitGroup
	for i, n := range cluster {
		all.Go(func() {
			w := newWire(n)
			defer w.close()
			role, err := w.role(ctx)
			leads[i] = err == nil && role == "master"
		})
	}
	all.Wait()
	var names []string
	for i, n := range cluster {
		if leads[i] {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Version returns the version of n's program.
func (t *target) Version(ctx context.Context, n fallacy.Node) (string, error) {
	w := newWire(n)
	defer w.close()
	info, err := w.client.Info(ctx, "server").Result()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, "redis_version:"); ok {
			return strings.TrimSpace(v), nil
		}
	}
	return "", fmt.Errorf("%s says nothing of its version", n.Name)
}

// CrashPatterns returns what Redis writes when it stops in distress.
func (*target) CrashPatterns() []string {
	return []string{`REDIS BUG REPORT START`, `=== ASSERTION FAILED`, `Bad file format reading the append only file`, `^Redis .* crashed by signal`}
}
