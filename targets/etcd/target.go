package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Kind is etcd's entry in the catalogue.
var Kind = &fallacy.TargetKind{Name: "etcd", Doc: manual, New: newTarget}

const manual = `etcd, version 3.4 or later

A cluster of 1 to 9 members with etcd's own defaults, but for faster elections: a
heartbeat every 50 ms, an election after 500 ms, a snapshot every 1000 entries.
Everything is synced to disk as etcd does it. Members are removed and added without
etcd's own check (--strict-reconfig-check=false), which refuses for some seconds
whenever a member was away, as under faults one is all the time; the fault member
leaves a majority itself.

On --on local the program etcd is found in PATH.

What is claimed: all key-value operations are strictly serializable, but for
watches, which are ordered, unique, atomic, reliable, resumable and bookmarkable
(https://etcd.io/docs/v3.6/learning/api_guarantees/). Locks are not safe without
checking the lock's key in the transaction that it protects, and etcd's manual says
so (https://etcd.io/docs/v3.6/learning/why/#notes-on-the-usage-of-lock-and-lease):
the workload mutex, which does not, is expected to fail; lock, which does, is not.

A leader that was paused may revoke leases that were kept alive with its successor
meanwhile: what etcd-io/etcd#15247 mended leaves a gap, as a member takes itself for
the leader without asking when its clock has ticked just before (3.7.3, etcdserver's
ensureLeadership). The workload lease is expected to find that under pause:leader,
and nothing under faults that pause nobody.`

// membersMax is what etcd recommends at most, and some more.
const membersMax = 9

type target struct {
	mu    sync.Mutex
	names names
}

func newTarget(opts fallacy.TargetOptions) (fallacy.Target, error) {
	switch {
	case opts.Bug != "":
		return nil, fmt.Errorf("etcd has no planted bugs, so there is no %q", opts.Bug)
	case opts.Topology != "":
		return nil, fmt.Errorf("etcd has one topology only: leave out %q", opts.Topology)
	case opts.Nodes > membersMax:
		return nil, fmt.Errorf("%d nodes: an etcd cluster has at most %d members here", opts.Nodes, membersMax)
	}
	return &target{}, nil
}

// Ports returns the names of the ports that every member listens on.
func (*target) Ports() []string { return []string{"client", "peer"} }

// Image says where etcd comes from.
func (*target) Image() fallacy.Image {
	return fallacy.Image{Name: "gcr.io/etcd-development/etcd:v3.6.12", Programs: []string{"etcd"}}
}

// Process says how to run a member of a new cluster.
func (t *target) Process(n fallacy.Node, cluster []fallacy.Node) (fallacy.Process, error) {
	return t.process(n, cluster, cluster, "new")
}

// process says how to run n as one of initial, which are those of cluster that it is
// to find when it starts for the first time.
func (t *target) process(n fallacy.Node, cluster, initial []fallacy.Node, state string) (fallacy.Process, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.names.learn(cluster); err != nil {
		return fallacy.Process{}, err
	}
	env, err := t.names.env(n, cluster)
	if err != nil {
		return fallacy.Process{}, err
	}
	client := "http://" + n.Listen["client"]
	return fallacy.Process{
		Argv: []string{
			"etcd", "--name", n.Name, "--data-dir", n.Dir + "/etcd",
			"--listen-peer-urls", "http://" + n.Listen["peer"],
			"--initial-advertise-peer-urls", t.names.url(n),
			"--listen-client-urls", client, "--advertise-client-urls", client,
			"--initial-cluster", t.names.initialCluster(initial), "--initial-cluster-state", state,
			"--initial-cluster-token", "fallacy", "--strict-reconfig-check=false",
			"--heartbeat-interval", "50", "--election-timeout", "500", "--snapshot-count", "1000",
			"--logger", "zap",
		},
		Env: env,
	}, nil
}

// Close shuts the ways between members that were made for them.
func (t *target) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.names.close()
}

// Ready returns nil once n answers a linearizable read.
func (t *target) Ready(ctx context.Context, n fallacy.Node) error {
	c, err := open(n)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_, _, err = c.Read(ctx, "ready")
	return err
}

// Open connects to n, at the first operation.
func (t *target) Open(_ context.Context, n fallacy.Node) (fallacy.Conn, error) { return open(n) }

// Primaries returns the members that believe they lead; those that do not answer
// soon are left out.
func (t *target) Primaries(ctx context.Context, cluster []fallacy.Node) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
	defer cancel()
	leads := make([]bool, len(cluster))
	var all sync.WaitGroup
	for i, n := range cluster {
		all.Go(func() {
			status, err := statusOf(ctx, n)
			leads[i] = err == nil && status.Leader != 0 && status.Leader == status.Header.MemberId
		})
	}
	all.Wait()
	var leaders []string
	for i, n := range cluster {
		if leads[i] {
			leaders = append(leaders, n.Name)
		}
	}
	slices.Sort(leaders)
	return leaders, nil
}

// Version returns the version of n's program.
func (*target) Version(ctx context.Context, n fallacy.Node) (string, error) {
	status, err := statusOf(ctx, n)
	if err != nil {
		return "", err
	}
	return status.Version, nil
}

func statusOf(ctx context.Context, n fallacy.Node) (*etcdserverpb.StatusResponse, error) {
	c, err := open(n)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	status, err := etcdserverpb.NewMaintenanceClient(c.grpc).Status(ctx, &etcdserverpb.StatusRequest{})
	if err == nil && status.Header == nil {
		err = errors.New("the status has no header")
	}
	return status, err
}
