package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
)

// Dialer reaches nodes.
type Dialer interface {
	// Dial starts the agent on node and returns the stream to it. When the stream
	// is closed the agent heals the node and ends.
	Dial(ctx context.Context, node string) (io.ReadWriteCloser, error)

	// Close waits until every agent has ended, and removes what was left on the nodes.
	Close() error
}

// Outsider is a dialer whose nodes clients do not reach at their own addresses.
type Outsider interface {
	// Outside returns where clients reach what listens at addr on node, over
	// network: "tcp" or "udp".
	Outside(node, network, addr string) string
}

// Options says what kind of cluster to open.
type Options struct {
	Nodes    []string      // names
	Ports    []string      // names of the ports the target listens on
	Seed     uint64        // of the run
	Deadline time.Duration // of the dead man's switch; 0: 10 s
}

// Cluster is nodes with an agent on each. It is a [fallacy.Control].
type Cluster struct {
	dialer Dialer
	nodes  []fallacy.Node
	agents []*agent.Client
	greets []agent.Greeting
	ran    []Ran
	probes *agent.Prober // the clients' own
	beat   context.CancelFunc
	beats  sync.WaitGroup

	noPackets error // why links are doors; nil: they are the network's own

	mu      sync.RWMutex // held for reading while the cluster is looked at
	imposed map[string]map[string]fallacy.Condition
	touched map[string]scope // changed by who holds mu, or looks as well
	counted map[pair]bool    // links whose packets a fault once did something to
	broken  map[pair]bool    // by who dials: no connection stands; changed as touched is
	started bool
	states  uint64     // how many were asked for
	seq     uint64     // of the last round of probes; for who holds looks
	looks   sync.Mutex // one look at a time
}

// Open starts an agent on every node and connects them. After an error nothing
// is left behind.
func Open(ctx context.Context, dialer Dialer, opts Options) (*Cluster, error) {
	if opts.Deadline == 0 {
		opts.Deadline = 10 * time.Second
	}
	c := &Cluster{
		dialer:  dialer,
		probes:  agent.NewProber(fallacy.Clients),
		imposed: make(map[string]map[string]fallacy.Condition),
		touched: make(map[string]scope),
		counted: make(map[pair]bool),
		broken:  make(map[pair]bool),
	}
	var alive context.Context
	alive, c.beat = context.WithCancel(context.Background())
	if err := c.open(ctx, alive, opts); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// open opens the cluster. Each agent is given signs of life, until alive is done,
// as soon as it is there: others may take longer than its deadline.
func (c *Cluster) open(ctx, alive context.Context, opts Options) error {
	c.nodes = make([]fallacy.Node, len(opts.Nodes))
	c.agents = make([]*agent.Client, len(opts.Nodes))
	c.greets = make([]agent.Greeting, len(opts.Nodes))
	c.ran = make([]Ran, len(opts.Nodes))
	for i, name := range opts.Nodes {
		c.nodes[i].Name = name
	}
	err := c.each(func(i int) error {
		name := opts.Nodes[i]
		stream, err := c.dialer.Dial(ctx, name)
		if err != nil {
			return fmt.Errorf("start the agent on %s: %w", name, err)
		}
		c.agents[i] = agent.NewClient(name, stream)
		c.greets[i], err = c.agents[i].Hello(ctx, agent.Hello{Node: name, Ports: opts.Ports, Seed: opts.Seed, Deadline: opts.Deadline})
		if err == nil {
			c.beats.Go(func() { heartbeat(alive, c.agents[i], opts.Deadline/10) })
		}
		return err
	})
	if err != nil {
		return err
	}
	if c.noPackets = c.lacksPackets(); c.noPackets == nil {
		if err := c.probes.Datagrams(); err != nil {
			return err
		}
	}
	return c.connect(ctx, opts)
}

// lacksPackets returns why faults on links cannot be made of packets: then every
// link is a door.
func (c *Cluster) lacksPackets() error {
	seen := make(map[string]string)
	for i, g := range c.greets {
		name := c.nodes[i].Name
		if g.Packets != "" {
			return fmt.Errorf("packets on %s cannot be acted on: %s", name, g.Packets)
		}
		host, _, err := net.SplitHostPort(g.Listen[agent.Probe])
		if err != nil {
			return err
		}
		if other, ok := seen[host]; ok {
			return fmt.Errorf("%s and %s have the same address, %s, so their packets cannot be told apart", other, name, host)
		}
		seen[host] = name
	}
	return nil
}

// connect makes links of the nodes.
func (c *Cluster) connect(ctx context.Context, opts Options) error {
	return c.each(func(i int) error {
		routes := agent.Routes{Peers: make(map[string]map[string]string), Packets: c.noPackets == nil}
		for j, peer := range opts.Nodes {
			if j != i {
				routes.Peers[peer] = c.greets[j].Listen
			}
		}
		doors, err := c.agents[i].Connect(ctx, routes)
		if err != nil {
			return err
		}
		c.nodes[i] = fallacy.Node{
			Name: opts.Nodes[i], Dir: c.greets[i].Dir, Listen: c.greets[i].Listen,
			Peers: doors.Peers, Public: c.outside(opts.Nodes[i], "tcp", doors.Public),
		}
		network := "tcp"
		if routes.Packets {
			network = "udp"
		}
		c.probes.Route(opts.Nodes[i], c.outside(opts.Nodes[i], network, doors.Public)[agent.Probe])
		return nil
	})
}

// outside is where clients reach the addresses of a node.
func (c *Cluster) outside(node, network string, addrs map[string]string) map[string]string {
	d, ok := c.dialer.(Outsider)
	if !ok {
		return addrs
	}
	outside := make(map[string]string)
	for port, addr := range addrs {
		outside[port] = d.Outside(node, network, addr)
	}
	return outside
}

// each does something with every node side by side and joins the errors.
func (c *Cluster) each(do func(i int) error) error {
	errs := make([]error, len(c.nodes))
	var all sync.WaitGroup
	for i := range c.nodes {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// heartbeat gives the agent signs of life until ctx is done.
func heartbeat(ctx context.Context, a *agent.Client, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			// An agent that cannot be reached shows in the next call that matters.
			_ = a.Alive(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// Nodes returns the cluster's nodes in order.
func (c *Cluster) Nodes() []fallacy.Node { return c.nodes }

// Lacks returns why the cluster cannot do what a fault needs; nil if it can.
func (c *Cluster) Lacks(need fallacy.Need) error {
	switch need {
	case fallacy.NeedPackets:
		return c.noPackets
	case fallacy.NeedClock:
	default:
		return nil
	}
	for i, g := range c.greets {
		if g.Clock != "" {
			return fmt.Errorf("the clock of a process on %s cannot be skewed: %s", c.nodes[i].Name, g.Clock)
		}
	}
	return nil
}

// System returns what the nodes run on: "linux/amd64".
func (c *Cluster) System() string { return c.greets[0].System }

// Start starts the target on every node, and finds out that all links are open.
func (c *Cluster) Start(ctx context.Context, target fallacy.Target) error {
	err := c.each(func(i int) error {
		p, err := target.Process(c.nodes[i], c.nodes)
		if err != nil {
			return fmt.Errorf("prepare %s: %w", c.nodes[i].Name, err)
		}
		how, err := c.agents[i].Start(ctx, p)
		c.ran[i] = Ran{Process: p, Started: how}
		return err
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.started = true
	c.mu.Unlock()
	if _, err := c.Verify(ctx, ""); err != nil {
		return fmt.Errorf("the cluster is not well before anything was done to it: %w", err)
	}
	return nil
}

// Logs copies every log of every node to what create returns for it. The name
// is relative, slash-separated, and the same for the same log in every run.
func (c *Cluster) Logs(ctx context.Context, create func(node, name string) (io.WriteCloser, error)) error {
	return c.each(func(i int) error {
		files, err := c.agents[i].Logs(ctx)
		if err != nil {
			return err
		}
		var errs []error
		for _, f := range files {
			w, err := create(c.nodes[i].Name, f.Name)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			errs = append(errs, c.agents[i].Fetch(ctx, f.Name, w), w.Close())
		}
		return errors.Join(errs...)
	})
}

// Close ends the agents, which heal their nodes and kill the target.
func (c *Cluster) Close() error {
	c.beat()
	var errs []error
	for _, a := range c.agents {
		if a != nil {
			errs = append(errs, a.Close())
		}
	}
	c.beats.Wait()
	return errors.Join(append(errs, c.probes.Close(), c.dialer.Close())...)
}
