package link

import (
	"fmt"
	"net"
	"sync"

	"github.com/fallacy-dev/fallacy"
)

// Proxy is a door to one port of a peer.
type Proxy struct {
	listener net.Listener
	upstream string
	out, in  *Gate
	chance   fallacy.Chance

	mu     sync.Mutex
	conns  map[*conn]bool
	closed bool
	count  int
	wait   sync.WaitGroup
}

// Listen opens a door at addr (with port 0: one of the system's choice) to the address
// upstream. What is sent to upstream goes through out, its answers through in.
// Jitter is drawn from chance.
func Listen(addr, upstream string, out, in *Gate, chance fallacy.Chance) (*Proxy, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for a link to %s: %w", upstream, err)
	}
	p := &Proxy{listener: l, upstream: upstream, out: out, in: in, chance: chance, conns: make(map[*conn]bool)}
	p.wait.Go(p.accept)
	return p, nil
}

// Addr returns the door's address, host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close shuts the door and breaks every connection through it.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		c.reset()
	}
	p.mu.Unlock()
	p.wait.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		p.mu.Lock()
		c := newConn(near.(*net.TCPConn), p.out, p.in, p.chance.Nth(p.count))
		p.count++
		p.conns[c] = true
		if p.closed {
			c.reset()
		}
		p.mu.Unlock()
		p.wait.Go(func() {
			c.run(p.upstream)
			p.mu.Lock()
			delete(p.conns, c)
			p.mu.Unlock()
		})
	}
}
