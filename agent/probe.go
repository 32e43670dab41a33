package agent

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"sync"
	"time"
)

// Prober sends pings and answers them. Probes travel as the target's own traffic does: through the doors and gates
// of a link, or as packets; see [Prober.Datagrams]. Through doors a prober sends each ping twice: on a connection that has stood for
// a while, which shows a cut in one direction for what it is, and on a fresh
// one, which takes the place of the other when it is answered.
//
// On the wire: a byte with the length of the sender's name and the name; then
// pings, each a sequence number and a length of 4 bytes and as many bytes of
// ballast. The answer to a ping is its sequence number. Big endian.
type Prober struct {
	name     string
	listener net.Listener // nil: it only sends
	packets  *datagrams   // nil: pings travel on connections
	ctx      context.Context
	cancel   context.CancelFunc

	mu     sync.Mutex
	routes map[string]string // by peer: the door to it
	stands map[string]*probe // by peer: the connection that has stood for a while
	heard  map[string]uint64
	echoed map[string]uint64
	rtt    map[string]time.Duration
	conns  map[net.Conn]bool
	wait   sync.WaitGroup
}

// probe is a connection to a peer that pings go out on.
type probe struct {
	conn net.Conn
	seq  uint64    // of the ping that was sent last
	sent time.Time // when
	gone bool      // it was hung up, though an answer may still be read from it
}

// ballastMax bounds what a ping may carry along.
const ballastMax = 1 << 20

// NewProber returns a prober that sends pings in the name of from, and hears none.
func NewProber(from string) *Prober {
	p := &Prober{
		name: from, routes: map[string]string{}, stands: map[string]*probe{}, heard: map[string]uint64{},
		echoed: map[string]uint64{}, rtt: map[string]time.Duration{}, conns: map[net.Conn]bool{},
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// listenForProbes returns a prober that also answers.
func listenForProbes(name, addr string) (*Prober, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for probes: %w", err)
	}
	p := NewProber(name)
	p.listener = l
	p.wait.Go(p.accept)
	return p, nil
}

func (p *Prober) addr() string { return p.listener.Addr().String() }

// Route says through which door peer is reached.
func (p *Prober) Route(peer, door string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.routes[peer] = door
}

// Close ends all that the prober has under way.
func (p *Prober) Close() error {
	p.cancel()
	var err error
	if p.listener != nil {
		err = p.listener.Close()
	}
	p.mu.Lock()
	if p.packets != nil {
		err = errors.Join(err, p.packets.conn.Close())
	}
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.wait.Wait()
	return err
}

// Echoes returns, by peer, the last ping that was answered and how long that took.
func (p *Prober) Echoes() (seq map[string]uint64, rtt map[string]time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.echoed), maps.Clone(p.rtt)
}

// hearsay returns, by peer, the last ping that arrived here.
func (p *Prober) hearsay() map[string]uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.heard)
}

// keep makes conn go when the prober does; false if it is gone already.
func (p *Prober) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Prober) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

func (p *Prober) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		if p.keep(c) {
			p.wait.Go(func() {
				defer p.drop(c)
				_ = p.answer(c) // the other end sees what became of its ping
			})
		}
	}
}

// answer hears pings and answers them until the connection ends.
func (p *Prober) answer(c net.Conn) error {
	r := bufio.NewReader(c)
	length, err := r.ReadByte()
	if err != nil {
		return err
	}
	from := make([]byte, length)
	if _, err := io.ReadFull(r, from); err != nil {
		return err
	}
	var head [12]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		ballast := binary.BigEndian.Uint32(head[8:])
		if ballast > ballastMax {
			return errors.New("that is no ping")
		}
		if _, err := r.Discard(int(ballast)); err != nil {
			return err
		}
		p.mu.Lock()
		p.heard[string(from)] = max(p.heard[string(from)], binary.BigEndian.Uint64(head[:]))
		p.mu.Unlock()
		if _, err := c.Write(head[:8]); err != nil {
			return err
		}
	}
}

// Ping sends ping.Seq to every peer, and does not wait for what becomes of it.
func (p *Prober) Ping(ping Ping) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for peer, door := range p.routes {
		ballast := min(ping.Bytes[peer], ballastMax)
		if p.packets != nil {
			p.wait.Go(func() { p.shoot(peer, door, ping.Seq, ping.Many[peer], ballast) })
			continue
		}
		if old := p.stands[peer]; old != nil {
			p.wait.Go(func() {
				if err := p.send(old, ping.Seq, ballast); err != nil {
					p.retire(peer, old)
				}
			})
		}
		p.wait.Go(func() { p.fresh(peer, door, ping.Seq, ballast) })
	}
}

// fresh sends a ping on a new connection and waits for answers on it.
func (p *Prober) fresh(peer, door string, seq uint64, ballast int) {
	c, err := (&net.Dialer{}).DialContext(p.ctx, "tcp", door)
	if err != nil || !p.keep(c) {
		return
	}
	defer p.drop(c)
	next := &probe{conn: c}
	defer p.retire(peer, next)
	if _, err := c.Write(append([]byte{byte(len(p.name))}, p.name...)); err != nil {
		return
	}
	if err := p.send(next, seq, ballast); err != nil {
		return
	}
	_ = p.listen(peer, next) // ends with the connection
}

// send sends one ping; pings on one connection do not overlap.
func (p *Prober) send(to *probe, seq uint64, ballast int) error {
	msg := binary.BigEndian.AppendUint64(nil, seq)
	msg = binary.BigEndian.AppendUint32(msg, uint32(ballast))
	p.mu.Lock()
	to.seq, to.sent = seq, time.Now()
	p.mu.Unlock()
	_ = to.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_, err := to.conn.Write(append(msg, make([]byte, ballast)...))
	return err
}

// listen takes answers. The first makes the connection the one that stands.
func (p *Prober) listen(peer string, from *probe) error {
	var answer [8]byte
	for {
		if _, err := io.ReadFull(from.conn, answer[:]); err != nil {
			return err
		}
		seq := binary.BigEndian.Uint64(answer[:])
		p.mu.Lock()
		if seq >= p.echoed[peer] && seq == from.seq {
			took := time.Since(from.sent)
			if seq > p.echoed[peer] || took < p.rtt[peer] {
				p.rtt[peer] = took
			}
			p.echoed[peer] = seq
			if old := p.stands[peer]; old != from && !from.gone && (old == nil || old.seq <= seq) {
				p.stands[peer] = from
				if old != nil {
					old.gone = true
					old.conn.Close()
				}
			}
		}
		p.mu.Unlock()
	}
}

// retire forgets a connection that broke.
func (p *Prober) retire(peer string, old *probe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old.conn.Close()
	if p.stands[peer] == old {
		delete(p.stands, peer)
	}
}
