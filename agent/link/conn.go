package link

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// conn is one connection through a proxy: near is the dialler's, far the peer's.
type conn struct {
	near    *net.TCPConn
	out, in *Gate
	chance  fallacy.Chance
	ctx     context.Context // done when the connection is broken
	cancel  context.CancelFunc
	dead    atomic.Bool // half-open: nothing gets through any more, and nobody is told

	mu    sync.Mutex
	far   *net.TCPConn
	abort bool
}

func newConn(near *net.TCPConn, out, in *Gate, chance fallacy.Chance) *conn {
	c := &conn{near: near, out: out, in: in, chance: chance}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// reset breaks the connection: both ends get a reset.
func (c *conn) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abort = true
	c.cancel()
	hang(c.near)
	if c.far != nil {
		hang(c.far)
	}
}

// hang closes t at once, with a reset instead of a farewell.
func hang(t *net.TCPConn) {
	_ = t.SetLinger(0)
	_ = t.Close()
}

// run carries the connection until both directions have ended or it is broken.
func (c *conn) run(upstream string) {
	defer c.cancel()
	for _, g := range []*Gate{c.out, c.in} {
		g.enter(c)
		defer g.leave(c)
	}
	// A handshake crosses the link both ways.
	defer c.near.Close()
	if !c.pass(c.out) || !c.pass(c.in) {
		_, _ = io.Copy(io.Discard, c.near) // half-open until the dialler gives up
		return
	}
	far, err := (&net.Dialer{}).DialContext(c.ctx, "tcp", upstream)
	if err != nil {
		c.reset()
		return
	}
	if !c.attach(far.(*net.TCPConn)) {
		return
	}
	defer far.Close()
	var both sync.WaitGroup
	both.Go(func() { c.pump(c.near, c.far, c.out, c.chance.At("out").Rand()) })
	both.Go(func() { c.pump(c.far, c.near, c.in, c.chance.At("in").Rand()) })
	both.Wait()
}

// attach makes far the other end; false if the connection was broken meanwhile.
func (c *conn) attach(far *net.TCPConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.far = far
	if c.abort {
		hang(far)
		return false
	}
	return true
}

// pass waits until g lets something through; false if it never will, as the
// connection is broken or dead.
func (c *conn) pass(g *Gate) bool {
	for {
		l, changed := g.state()
		if c.dead.Load() || c.ctx.Err() != nil {
			return false
		}
		if !l.Cut {
			return true
		}
		select {
		case <-changed:
		case <-c.ctx.Done():
		}
	}
}

// chunk is some bytes on their way, or an end.
type chunk struct {
	data    []byte
	arrives time.Time
	err     error
}

// Limits of what is on its way through one direction of one connection.
const (
	chunkBytes = 16 << 10
	chunksMax  = 128
)

// pump carries bytes from src to dst through g.
func (c *conn) pump(src, dst *net.TCPConn, g *Gate, rng *rand.Rand) {
	chunks := make(chan chunk, chunksMax)
	var reader sync.WaitGroup
	reader.Go(func() { c.read(src, g, rng, chunks) })
	c.write(dst, g, chunks)
	reader.Wait()
}

// read takes bytes from src and says when each is to arrive.
func (c *conn) read(src *net.TCPConn, g *Gate, rng *rand.Rand, chunks chan<- chunk) {
	defer close(chunks)
	var last time.Time
	for {
		buf := make([]byte, chunkBytes)
		n, err := src.Read(buf)
		last = arrival(time.Now(), last, n, g.Link(), rng)
		select {
		case chunks <- chunk{buf[:n], last, err}:
		case <-c.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// arrival returns when n bytes that were sent now arrive, after what was sent
// before them.
func arrival(now, last time.Time, n int, l fallacy.Link, rng *rand.Rand) time.Time {
	at := now.Add(l.Delay)
	if l.Jitter > 0 {
		at = at.Add(time.Duration(rng.Int64N(int64(l.Jitter))))
	}
	if at.Before(last) {
		at = last
	}
	if l.Rate > 0 {
		at = at.Add(time.Duration(float64(n) / float64(l.Rate) * float64(time.Second)))
	}
	return at
}

// write hands to dst what has arrived. What came when the connection was
// half-open is lost.
func (c *conn) write(dst *net.TCPConn, g *Gate, chunks <-chan chunk) {
	for k := range chunks {
		if !c.until(k.arrives) || !c.pass(g) {
			continue
		}
		if _, err := dst.Write(k.data); err != nil {
			c.reset()
			continue
		}
		switch {
		case errors.Is(k.err, io.EOF):
			_ = dst.CloseWrite()
		case k.err != nil:
			c.reset()
		}
	}
}

// until waits for t; false if the connection is broken first.
func (c *conn) until(t time.Time) bool {
	wait := time.Until(t)
	if wait <= 0 {
		return c.ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.ctx.Done():
		return false
	}
}
