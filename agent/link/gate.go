package link

import (
	"sync"

	"github.com/fallacy-dev/fallacy"
)

// Gate is one direction between two nodes. It starts open.
type Gate struct {
	mu      sync.Mutex
	link    fallacy.Link
	changed chan struct{} // closed when link changes
	conns   map[*conn]bool
}

// NewGate returns a gate that lets everything through.
func NewGate() *Gate {
	return &Gate{changed: make(chan struct{}), conns: make(map[*conn]bool)}
}

// Set makes l what becomes of the traffic through g, that of connections that
// exist already included.
func (g *Gate) Set(l fallacy.Link) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l == g.link {
		return
	}
	g.link = l
	close(g.changed)
	g.changed = make(chan struct{})
	for c := range g.conns {
		g.apply(c)
	}
}

// Link returns what is in force.
func (g *Gate) Link() fallacy.Link {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.link
}

// state returns what is in force and a channel that is closed when that changes.
func (g *Gate) state() (fallacy.Link, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.link, g.changed
}

// apply does to a connection what cannot wait until it sends something.
func (g *Gate) apply(c *conn) {
	if g.link.Reset {
		c.reset()
	}
	if g.link.Stall {
		c.dead.Store(true)
	}
}

// enter makes c subject to g.
func (g *Gate) enter(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns[c] = true
	g.apply(c)
}

func (g *Gate) leave(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
}
