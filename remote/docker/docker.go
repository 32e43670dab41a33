// Package docker runs a cluster in containers: a network for the run, and for
// every node a container with the agent in it. It needs Docker Engine 20.10 or
// later. The agent is the controller's own binary, which has to be static; it is
// copied into a container of any image, one without a shell included, takes the
// place of the image's own entrypoint and starts that when it is told to.
//
// What image that is [Options] say. No registry is needed: an image can be
// packed from the programs that are installed on this machine, and a target that
// fallacy carries itself runs in an empty one.
//
// Clients reach nodes directly at their containers' addresses, which works
// where Docker Engine runs on the same Linux machine; elsewhere through ports
// published on the loopback.
//
// Whatever is created carries labels that name the run and its controller, so
// that [Leftovers] finds what belongs to controllers that are gone. A container
// goes away by itself when the stream to its agent ends.
package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
	"github.com/fallacy-dev/fallacy/agent/owner"
	"github.com/moby/moby/client"
)

// Options says what to run nodes from.
type Options struct {
	Binary string   // file of the agent's program, static, for Linux
	Args   []string // that make it an agent; flags follow
	Env    []string // of the agent and what it starts, as KEY=value

	Image   string        // its name, or Host; empty: what suits the target
	Target  fallacy.Image // where the target's programs come from; zero: the agent's binary is all
	Program string        // file of a static program to use as the target's own

	Ports   []string          // names of the ports the target listens on
	Packets bool              // the agents get the capability to act on packets
	Clocks  bool              // the agents get the capability to trace processes of every user, for their clocks
	IPv6    bool              // nodes reach each other by IPv6
	Note    func(text string) // is told what happens that takes long; nil: nobody is
}

// Dialer starts agents in containers. It is a remote.Dialer.
type Dialer struct {
	docker *client.Client
	opts   Options
	run    string
	labels map[string]string
	pack   []byte // the agent's binary and the target's own, as a tar archive
	arch   string // that Docker runs on, as Go calls it
	image  image

	network network

	mu    sync.Mutex
	nodes []*node
}

// Labels of everything that is created.
const (
	labelRun        = "fallacy.run"
	labelController = "fallacy.controller"
	labelNode       = "fallacy.node"
)

// Bounds on what Docker is asked to do when nobody else sets one.
const (
	closeTimeout = 30 * time.Second
	pingTimeout  = 5 * time.Second
)

// New removes what dead controllers have left, and makes a network for a run.
// The error says how to mend it, if Docker cannot be had or the binary is not static.
func New(ctx context.Context, opts Options) (*Dialer, error) {
	machine, err := agent.Inspect(opts.Binary)
	if err != nil {
		return nil, err
	}
	if opts.Program != "" {
		if err := inspectProgram(opts.Program, machine, opts.Target); err != nil {
			return nil, err
		}
	}
	if opts.Note == nil {
		opts.Note = func(string) {}
	}
	docker, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	d := &Dialer{docker: docker, opts: opts, run: strings.ToLower(rand.Text()[:12])}
	d.labels = map[string]string{labelRun: d.run, labelController: owner.Self().String()}
	if err := d.prepare(ctx, machine); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Dialer) prepare(ctx context.Context, machine string) error {
	version, err := d.docker.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return fmt.Errorf("ask Docker what it runs on: %w", err)
	}
	if version.Os != "linux" || version.Arch != machine {
		return fmt.Errorf("%s is for linux/%s and Docker runs %s/%s: build it with GOOS=linux GOARCH=%s", d.opts.Binary, machine, version.Os, version.Arch, version.Arch)
	}
	left, err := leftovers(ctx, d.docker)
	if err != nil {
		return err
	}
	for _, l := range left {
		if err := l.heal(ctx, d.docker); err != nil {
			return err
		}
	}
	d.arch = version.Arch
	if d.pack, err = d.opts.archive(); err != nil {
		return err
	}
	if d.image, err = d.chooseImage(ctx); err != nil {
		return err
	}
	return d.makeNetwork(ctx)
}

// Origin says what the nodes are made from; empty: of an image with nothing in it.
func (d *Dialer) Origin() string { return d.image.name }

// connect returns a client of the Docker that the environment names, which answers.
func connect(ctx context.Context) (*client.Client, error) {
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return nil, fmt.Errorf("find Docker: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	_, err = docker.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	if err == nil {
		return docker, nil
	}
	host := docker.DaemonHost()
	_ = docker.Close() // the ping's error says more
	switch {
	case errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied"):
		return nil, &unreachableError{fmt.Sprintf("no permission to use Docker at %s: run as root, or join the group docker", host)}
	case client.IsErrConnectionFailed(err):
		return nil, &unreachableError{fmt.Sprintf("there is no Docker at %s: start Docker Engine, or set DOCKER_HOST to where it is", host)}
	}
	return nil, fmt.Errorf("reach Docker at %s: %w", host, err)
}

// unreachableError is a Docker that is not there or not for this user.
type unreachableError struct{ text string }

func (e *unreachableError) Error() string { return e.text }

// labelled returns the run's labels and that of a node.
func (d *Dialer) labelled(name string) map[string]string {
	labels := maps.Clone(d.labels)
	labels[labelNode] = name
	return labels
}

// Dial starts the agent of node in a container of its own.
func (d *Dialer) Dial(ctx context.Context, name string) (io.ReadWriteCloser, error) {
	n := &node{name: name, docker: d.docker}
	if err := d.dial(ctx, n); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx) // what was under way then says nothing
		}
		return nil, err
	}
	return n.stream, nil
}

func (d *Dialer) dial(ctx context.Context, n *node) error {
	if err := d.create(ctx, n); err != nil {
		return err
	}
	d.mu.Lock()
	d.nodes = append(d.nodes, n)
	d.mu.Unlock()
	if err := n.upload(ctx, d.pack); err != nil {
		return err
	}
	if err := n.start(ctx); err != nil {
		return err
	}
	return n.reach(ctx, d)
}

// Close waits until every agent has ended and its container is gone, and
// removes the network.
func (d *Dialer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	errs := make([]error, len(d.nodes))
	var all sync.WaitGroup
	for i, n := range d.nodes {
		all.Go(func() { errs[i] = n.end(ctx) })
	}
	all.Wait()
	d.nodes = nil
	// What was created without our being told, when a call was given up, is found by its labels.
	left, err := list(ctx, d.docker, labelRun+"="+d.run)
	errs = append(errs, err)
	for _, l := range left {
		errs = append(errs, l.heal(ctx, d.docker))
	}
	return errors.Join(append(errs, d.docker.Close())...)
}

// ignoreGone drops the error of removing what is gone already, or about to be.
func ignoreGone(err error) error {
	if errdefs.IsNotFound(err) || errdefs.IsConflict(err) {
		return nil
	}
	return err
}

// isNodeName tells whether name may be part of a container's name and its host name.
func isNodeName(name string) bool {
	ok := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-'
	}
	return len(name) <= 40 && !strings.HasPrefix(name, "-") && !slices.ContainsFunc([]rune(name), func(r rune) bool { return !ok(r) })
}
