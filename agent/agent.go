package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent/clock"
	"github.com/fallacy-dev/fallacy/agent/link"
	"github.com/fallacy-dev/fallacy/agent/packet"
	"github.com/fallacy-dev/fallacy/agent/proc"
)

// Options is where an agent lives.
type Options struct {
	Dir  string // for the target's data, logs and the agent's own files
	Host string // address that the node is reached at by its peers and clients; HostAuto: its own
	Bin  string // where the target's programs are looked for before PATH; empty: nowhere
	// Image is what the node's image says of its program.
	Image Image
	// FirstPort is where to begin with the ports of the target, where they are to
	// be known beforehand; 0: wherever one is free.
	FirstPort int
	// Packets allows for faults on packets, where the network is the node's own.
	Packets bool
}

// Agent is the state of one node.
type Agent struct {
	opts Options

	mu      sync.Mutex
	hello   Hello
	state   State
	seq     uint64 // of the last state that was asked for
	ports   ports
	listen  map[string]string
	gates   gates
	doors   []*link.Proxy
	filter  *packet.Filter // nil: links are doors
	probes  *Prober
	target  *proc.Supervisor
	samples *sampler // of target
	clock   *clock.Clock
	unwatch context.CancelFunc // of who follows what the target executes
	noClock error
	logs    []string // of the target, relative to the data directory
	tripped string
	life    *lease
}

// New returns an agent of a node where nothing runs and nothing is wrong.
func New(opts Options) *Agent {
	return &Agent{opts: opts, ports: ports{host: opts.Host, first: opts.FirstPort}, gates: newGates(), state: State{Process: fallacy.Killed}}
}

func (a *Agent) dataDir() string { return filepath.Join(a.opts.Dir, "data") }
func (a *Agent) logDir() string  { return filepath.Join(a.opts.Dir, "logs") }

// Hello prepares the node.
func (a *Agent) Hello(h Hello) (Greeting, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.probes != nil {
		return Greeting{}, fmt.Errorf("node %s was greeted before", a.hello.Node)
	}
	for _, dir := range []string{a.dataDir(), a.logDir()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return Greeting{}, err
		}
	}
	var err error
	if a.listen, err = a.ports.reserve(h.Ports); err != nil {
		return Greeting{}, err
	}
	if a.probes, err = listenForProbes(h.Node, a.address(len(h.Ports))); err != nil {
		return Greeting{}, err
	}
	a.hello = h
	a.listen[Probe] = a.probes.addr()
	if a.noClock = clock.Supported(); a.noClock == nil {
		a.clock, a.noClock = clock.New(filepath.Join(a.opts.Dir, "clock"))
	}
	if a.clock != nil {
		var ctx context.Context
		ctx, a.unwatch = context.WithCancel(context.Background())
		go a.clock.Follow(ctx)
	}
	a.life = newLease(h.Deadline, a.trip)
	g := Greeting{PID: os.Getpid(), System: runtime.GOOS + "/" + runtime.GOARCH, Dir: a.dataDir(), Listen: a.listen}
	if a.noClock != nil {
		g.Clock = a.noClock.Error()
	}
	g.Packets = a.noPackets()
	return g, nil
}

// Connect opens the doors to the peers and those of the clients, or watches over
// the packets where there are to be no doors.
func (a *Agent) Connect(r Routes) (Doors, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Packets {
		return a.watch(r)
	}
	doors := Doors{Peers: make(map[string]map[string]string), Public: make(map[string]string)}
	chance := fallacy.NewChance(a.hello.Seed).At("link").At(a.hello.Node)
	for peer, ports := range r.Peers {
		doors.Peers[peer] = make(map[string]string)
		for port, addr := range ports {
			door, err := a.door(a.address(-1), addr, a.gates.out(peer), a.gates.in(peer), chance.At(peer).At(port))
			if err != nil {
				return Doors{}, err
			}
			doors.Peers[peer][port] = door
		}
		a.probes.Route(peer, doors.Peers[peer][Probe])
	}
	for i, port := range slices.Sorted(maps.Keys(a.listen)) {
		door, err := a.door(a.address(len(a.listen)+i), a.listen[port], a.gates.in(fallacy.Clients), a.gates.out(fallacy.Clients), chance.At(fallacy.Clients).At(port))
		if err != nil {
			return Doors{}, err
		}
		doors.Public[port] = door
	}
	return doors, nil
}

// address is where to listen with the nth of the ports that are to be known
// beforehand; with a negative n, and where nobody has to know: anywhere.
func (a *Agent) address(n int) string {
	if a.opts.FirstPort == 0 || n < 0 {
		return net.JoinHostPort(a.opts.Host, "0")
	}
	return net.JoinHostPort(a.opts.Host, strconv.Itoa(a.opts.FirstPort+n))
}

func (a *Agent) door(addr, upstream string, out, in *link.Gate, chance fallacy.Chance) (string, error) {
	p, err := link.Listen(addr, upstream, out, in, chance)
	if err != nil {
		return "", err
	}
	a.doors = append(a.doors, p)
	return p.Addr(), nil
}

// Apply makes s what is wrong with the node.
func (a *Agent) Apply(ctx context.Context, s State) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.Seq < a.seq {
		return fmt.Errorf("state %d came after state %d, and has no effect", s.Seq, a.seq)
	}
	a.seq, a.tripped = s.Seq, ""
	return a.reconcile(ctx, s)
}

// reconcile brings every mechanism to s, whatever becomes of the others.
func (a *Agent) reconcile(ctx context.Context, s State) error {
	a.state = s
	a.gates.set(s)
	var errs []error
	if a.filter != nil {
		errs = append(errs, a.filter.Set(packet.State{In: s.In, ToClients: s.Out[fallacy.Clients]}))
	}
	switch {
	case a.clock != nil:
		errs = append(errs, a.clock.Set(s.Clock))
	case s.Clock != fallacy.Skew{}:
		errs = append(errs, fmt.Errorf("skew the clock: %w", a.noClock))
	}
	if a.target != nil {
		errs = append(errs, a.target.Set(ctx, s.Process))
	}
	return errors.Join(errs...)
}

// trip heals the node since nobody gave a sign of life.
func (a *Agent) trip(silence time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.reconcile(ctx, State{})
	a.tripped = fmt.Sprintf("the node healed itself after %v without a sign of life from the controller", silence)
	if err != nil {
		a.tripped += ", but not all of it: " + err.Error()
	}
}

// Close heals the node, ends the target and shuts every door.
func (a *Agent) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.life != nil {
		a.life.end()
	}
	if a.samples != nil {
		a.samples.end()
		a.samples = nil
	}
	errs := []error{a.reconcile(ctx, State{Process: fallacy.Killed})}
	for _, d := range a.doors {
		errs = append(errs, d.Close())
	}
	if a.probes != nil {
		errs = append(errs, a.probes.Close())
	}
	if a.filter != nil {
		errs = append(errs, a.filter.Close())
	}
	if a.clock != nil {
		a.unwatch()
		errs = append(errs, a.clock.Close())
	}
	errs = append(errs, a.ports.release())
	return errors.Join(errs...)
}
