package ssh

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
)

// Options says how to reach nodes, and what to run there. What is empty is left
// to the configuration of ssh.
type Options struct {
	Binary string   // file of the agent's program, static, for Linux
	Args   []string // that make it an agent; flags follow
	Env    []string // of the agent and what it starts, as KEY=value

	User       string
	Key        string // file of a private key; empty: those that ssh would try
	Password   string // tried after keys; empty: none
	Port       int
	Jump       string // hosts to go through, [USER@]HOST[:PORT], separated by commas
	Config     string // file; empty: ~/.ssh/config
	KnownHosts string // file; empty: those of the configuration

	Target  fallacy.Image // where the target's programs come from
	Program string        // file of a program to use as the target's own; empty: the one that is installed
	Packets bool          // the agents may act on packets of their machine, in a table of their own
}

// Dialer starts agents on machines. It is a remote.Dialer.
type Dialer struct {
	opts    Options
	machine string // that the binary is for, as Go calls it
	program []byte // the agent's
	digest  string // of it
	target  []byte // the target's own; nil: it is installed there

	mu    sync.Mutex
	nodes []*node
}

// New reads what is to be uploaded. The error says if that cannot work.
func New(opts Options) (*Dialer, error) {
	machine, err := agent.Inspect(opts.Binary)
	if err != nil {
		return nil, err
	}
	d := &Dialer{opts: opts, machine: machine}
	if d.program, err = os.ReadFile(opts.Binary); err != nil {
		return nil, fmt.Errorf("read the agent's binary: %w", err)
	}
	d.digest = fmt.Sprintf("%x", sha256.Sum256(d.program))[:20]
	if opts.Program == "" {
		return d, nil
	}
	if len(opts.Target.Programs) == 0 {
		return nil, fmt.Errorf("--binary %s: the target is part of fallacy's own binary and takes no other", opts.Program)
	}
	if d.target, err = os.ReadFile(opts.Program); err != nil {
		return nil, fmt.Errorf("read the target's binary: %w", err)
	}
	return d, nil
}

// Prepare logs in to the machines that are named and uploads what they lack, which
// may take long where a line is slow; Dial does that for those that it was not
// done for.
func (d *Dialer) Prepare(ctx context.Context, names []string) error {
	errs := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			if _, errs[i] = d.ready(ctx, name); errs[i] != nil {
				errs[i] = fmt.Errorf("get %s ready: %w", name, errs[i])
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// Dial starts the agent on the machine called name.
func (d *Dialer) Dial(ctx context.Context, name string) (io.ReadWriteCloser, error) {
	n := d.prepared(name)
	if n == nil {
		var err error
		if n, err = d.ready(ctx, name); err != nil {
			return nil, err
		}
	}
	stop := context.AfterFunc(ctx, func() { n.connection.Close() })
	defer stop()
	if err := n.start(d.opts); err != nil {
		return nil, cause(ctx, err)
	}
	return n.stream, nil
}

// prepared is the machine called name, if it waits for its agent.
func (d *Dialer) prepared(name string) *node {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.nodes, func(n *node) bool { return n.name == name && n.stream == nil && n.ready })
	if i < 0 {
		return nil
	}
	return d.nodes[i]
}

// ready logs in to a machine and prepares it.
func (d *Dialer) ready(ctx context.Context, name string) (*node, error) {
	c, err := d.opts.connect(ctx, name)
	if err != nil {
		return nil, err
	}
	n := &node{name: name, connection: c}
	d.mu.Lock()
	d.nodes = append(d.nodes, n)
	d.mu.Unlock()
	// A call that takes too long ends with its connection.
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := d.prepare(n); err != nil {
		return nil, cause(ctx, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n.ready = true
	return n, nil
}

// prepare gets a machine ready for its agent.
func (d *Dialer) prepare(n *node) error {
	if err := n.survey(d.machine); err != nil {
		return err
	}
	left, err := n.leftovers()
	if err != nil {
		return err
	}
	for _, l := range left {
		if err := n.remove(l); err != nil {
			return err
		}
	}
	n.agent = n.cache + "/fallacy/agent-" + d.digest
	if err := n.upload(n.agent, d.program); err != nil {
		return fmt.Errorf("upload the agent: %w", err)
	}
	if err := n.forget(); err != nil {
		return err
	}
	if err := n.makeDir(); err != nil {
		return err
	}
	if d.target == nil {
		return nil
	}
	if err := n.upload(n.dir+"/bin/"+d.opts.Target.Programs[0], d.target); err != nil {
		return fmt.Errorf("upload the target's program: %w", err)
	}
	return nil
}

// Close waits until every agent has ended, and removes what is left of the run.
func (d *Dialer) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	errs := make([]error, len(d.nodes))
	var all sync.WaitGroup
	for i, n := range d.nodes {
		all.Go(func() { errs[i] = n.end() })
	}
	all.Wait()
	d.nodes = nil
	return errors.Join(errs...)
}
