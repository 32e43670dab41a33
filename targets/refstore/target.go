package refstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Kind is the reference store's entry in the catalogue.
var Kind = &fallacy.TargetKind{Name: "refstore", Doc: manual, New: newTarget, Bugs: Bugs}

const manual = `the bundled replicated store

A key-value store on Raft that keeps its promises, in fallacy's own binary: it needs nothing installed.
Registers, transactions over registers and lists, a set, a counter, a queue, streams, and a lock with
fencing tokens, all linearizable. With --bug it breaks a promise in a way that real systems have: that is how
fallacy shows that it finds what it claims to find.`

type target struct {
	bug string
}

func newTarget(opts fallacy.TargetOptions) (fallacy.Target, error) {
	if opts.Bug != "" && !isBug(opts.Bug) {
		return nil, fmt.Errorf("refstore has no bug %q", opts.Bug)
	}
	return target{bug: opts.Bug}, nil
}

// Ports returns the names of the ports that every node listens on.
func (target) Ports() []string { return []string{"client", "peer"} }

// Process says how to run a node. Every node is given its own ways to the others.
func (t target) Process(n fallacy.Node, cluster []fallacy.Node) (fallacy.Process, error) {
	var peers []string
	for _, m := range cluster {
		addr := n.Peers[m.Name]["peer"]
		if m.Name == n.Name {
			addr = n.Listen["peer"]
		}
		if addr == "" {
			return fallacy.Process{}, fmt.Errorf("%s knows no way to the peer port of %s", n.Name, m.Name)
		}
		peers = append(peers, m.Name+"="+addr)
	}
	argv := []string{
		fallacy.Self, "refstore", "--id", n.Name, "--dir", n.Dir, "--peers", strings.Join(peers, ","),
		"--listen-client", n.Listen["client"], "--listen-peer", n.Listen["peer"],
	}
	if t.bug != "" {
		argv = append(argv, "--bug", t.bug)
	}
	return fallacy.Process{Argv: argv}, nil
}

// Ready returns nil once n answers and knows a leader.
func (target) Ready(ctx context.Context, n fallacy.Node) error {
	status, err := askStatus(ctx, n)
	if err != nil {
		return err
	}
	if status.Leader == 0 {
		return errors.New("no leader yet")
	}
	return nil
}

// Open connects to n, at the first operation.
func (target) Open(_ context.Context, n fallacy.Node) (fallacy.Conn, error) {
	if n.Public["client"] == "" {
		return nil, fmt.Errorf("no way to the client port of %s", n.Name)
	}
	return newConn(n.Public["client"]), nil
}

// Primaries returns the nodes that believe they lead; those that do not answer soon are left out.
func (target) Primaries(ctx context.Context, cluster []fallacy.Node) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	leads := make([]bool, len(cluster))
	for i, n := range cluster {
		wg.Go(func() {
			status, err := askStatus(ctx, n)
			leads[i] = err == nil && status.Role == "leader"
		})
	}
	wg.Wait()
	var names []string
	for i, n := range cluster {
		if leads[i] {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// CrashPatterns returns what a node writes to its log when it stops in distress.
func (target) CrashPatterns() []string {
	return []string{`^panic: `, `^fatal error: `, `^refstore: `, `: corrupt$`}
}

// Version returns the version of fallacy that n's program is.
func (target) Version(ctx context.Context, n fallacy.Node) (string, error) {
	status, err := askStatus(ctx, n)
	if err != nil {
		return "", err
	}
	return "fallacy " + status.Version, nil
}

func askStatus(ctx context.Context, n fallacy.Node) (statusForm, error) {
	var status statusForm
	c := newConn(n.Public["client"])
	defer func() { _ = c.Close() }()
	if err := c.connect(ctx); err != nil {
		return status, fmt.Errorf("ask %s for its status: %w", n.Name, err)
	}
	code, answer, err := c.exchange(ctx, "GET", "/v1/status", nil)
	if err == nil && code != statuses[Done] {
		err = fmt.Errorf("answer %d", code)
	}
	if err == nil {
		err = json.Unmarshal(answer, &status)
	}
	if err != nil {
		return status, fmt.Errorf("ask %s for its status: %w", n.Name, err)
	}
	return status, nil
}
