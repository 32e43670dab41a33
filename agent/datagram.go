package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"net"
	"time"
)

// Tally is what became of the datagrams of one ping.
type Tally struct {
	Seq       uint64 // of the ping
	Sent      int    // as the sender says
	Arrived   int    // of them, intact, each counted once
	Repeated  int    // arrived once more
	Overtaken int    // arrived behind one that was sent later
}

// datagrams is how a prober sends and hears pings where links are made of
// packets: one way at a time, and many at once, so that what packets meet with
// can be counted. Their checksums are the prober's own, so that damage shows too
// where the system would hide it.
type datagrams struct {
	conn   *net.UDPConn
	sent   map[string]*volley // by peer: the last
	heard  map[string]*count  // by peer: of its pings
	echoes map[string]*count  // by peer: of answers to ours
}

// volley is the datagrams of one ping on their way.
type volley struct {
	seq  uint64
	sent []time.Time // by index; zero: not yet
}

// count is a tally that remembers which datagrams it has seen.
type count struct {
	Tally
	seen    map[uint32]bool
	highest int
}

func (c *count) note(seq uint64, index uint32, sent int) {
	if seq > c.Seq || c.seen == nil {
		*c = count{Tally: Tally{Seq: seq, Sent: sent}, seen: make(map[uint32]bool), highest: -1}
	}
	switch {
	case seq < c.Seq:
	case c.seen[index]:
		c.Repeated++
	default:
		c.seen[index] = true
		c.Arrived++
		if int(index) < c.highest {
			c.Overtaken++
		}
		c.highest = max(c.highest, int(index))
	}
}

// Datagrams makes p send its pings as datagrams from here on, and hear those of
// others at the address where it listens.
func (p *Prober) Datagrams() error {
	at := &net.UDPAddr{}
	if p.listener != nil {
		tcp := p.listener.Addr().(*net.TCPAddr)
		at = &net.UDPAddr{IP: tcp.IP, Port: tcp.Port, Zone: tcp.Zone}
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		return fmt.Errorf("listen for probes: %w", err)
	}
	if err := withoutChecksums(conn); err != nil {
		return errors.Join(fmt.Errorf("probe without checksums: %w", err), conn.Close())
	}
	_ = conn.SetReadBuffer(4 << 20) // as much as the system allows for
	p.mu.Lock()
	p.packets = &datagrams{conn: conn, sent: map[string]*volley{}, heard: map[string]*count{}, echoes: map[string]*count{}}
	p.mu.Unlock()
	p.wait.Go(p.receive)
	return nil
}

// Tallies returns what became, by peer, of the last ping that arrived from there,
// and of the answers to the last one that was sent there.
func (p *Prober) Tallies() (heard, echoes map[string]Tally) {
	p.mu.Lock()
	defer p.mu.Unlock()
	heard, echoes = make(map[string]Tally), make(map[string]Tally)
	if p.packets != nil {
		for peer, c := range maps.All(p.packets.heard) {
			heard[peer] = c.Tally
		}
		for peer, c := range maps.All(p.packets.echoes) {
			echoes[peer] = c.Tally
		}
	}
	return heard, echoes
}

// Kinds of datagrams. Ballast is there to fill a link, and is not answered.
const (
	kindPing = iota + 1
	kindEcho
	kindBallast
)

// datagram is one of a ping's, or the answer to it.
type datagram struct {
	kind        byte
	from, to    string // who asks whom
	seq         uint64
	index, sent uint32
}

// encode returns d as it travels: kind, names with their lengths, numbers, a checksum.
func (d datagram) encode(padding int) []byte {
	b := []byte{d.kind, byte(len(d.from))}
	b = append(b, d.from...)
	b = append(b, byte(len(d.to)))
	b = append(b, d.to...)
	b = binary.BigEndian.AppendUint64(b, d.seq)
	b = binary.BigEndian.AppendUint32(b, d.index)
	b = binary.BigEndian.AppendUint32(b, d.sent)
	b = append(b, make([]byte, padding)...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// decodeDatagram is the inverse; false for what is damaged, or none.
func decodeDatagram(b []byte) (d datagram, ok bool) {
	if len(b) < 4 || binary.BigEndian.Uint32(b[len(b)-4:]) != crc32.ChecksumIEEE(b[:len(b)-4]) {
		return d, false
	}
	b = b[:len(b)-4]
	if len(b) < 2 {
		return d, false
	}
	d.kind, b = b[0], b[1:]
	for _, name := range []*string{&d.from, &d.to} {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return d, false
		}
		*name, b = string(b[1:1+int(b[0])]), b[1+int(b[0]):]
	}
	if len(b) < 16 {
		return d, false
	}
	d.seq, d.index, d.sent = binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	return d, true
}

// receive hears pings, answers them, and notes the answers to ours.
func (p *Prober) receive() {
	buf := make([]byte, 4<<10)
	for {
		n, addr, err := p.packets.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if p.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			continue // what a neighbour said of another datagram
		}
		d, ok := decodeDatagram(buf[:n])
		switch {
		case !ok:
		case d.kind == kindPing && d.to == p.name:
			p.mu.Lock()
			p.heard[d.from] = max(p.heard[d.from], d.seq)
			counted(p.packets.heard, d.from).note(d.seq, d.index, int(d.sent))
			p.mu.Unlock()
			d.kind = kindEcho
			_, _ = p.packets.conn.WriteToUDPAddrPort(d.encode(0), addr) // lost is lost
		case d.kind == kindEcho && d.from == p.name:
			p.echo(d)
		}
	}
}

func counted(all map[string]*count, peer string) *count {
	if all[peer] == nil {
		all[peer] = &count{}
	}
	return all[peer]
}

func (p *Prober) echo(d datagram) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.packets.sent[d.to]
	if v == nil || v.seq != d.seq || int(d.index) >= len(v.sent) || v.sent[d.index].IsZero() {
		return
	}
	counted(p.packets.echoes, d.to).note(d.seq, d.index, int(d.sent))
	took := time.Since(v.sent[d.index])
	if d.seq > p.echoed[d.to] || took < p.rtt[d.to] {
		p.rtt[d.to] = took
	}
	p.echoed[d.to] = d.seq
}

// Of a ping's datagrams.
const (
	fewDatagrams = 3 // where nothing is to be counted
	ballastPiece = 1000
	volleyBulk   = 20 // sent at once, where there are many
	volleyPause  = time.Millisecond
)

// shoot sends the datagrams of one ping to peer.
func (p *Prober) shoot(peer, addr string, seq uint64, many, ballast int) {
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return // nobody will hear it
	}
	v := &volley{seq: seq, sent: make([]time.Time, max(many, fewDatagrams))}
	p.mu.Lock()
	p.packets.sent[peer] = v
	p.mu.Unlock()
	d := datagram{kind: kindBallast, from: p.name, to: peer, seq: seq, sent: uint32(len(v.sent))}
	for range (ballast + ballastPiece - 1) / ballastPiece {
		_, _ = p.packets.conn.WriteToUDP(d.encode(ballastPiece), to)
	}
	d.kind = kindPing
	for i := range v.sent {
		if wait := pause(i, many, ballast); wait > 0 && !p.rest(wait) {
			return
		}
		p.mu.Lock()
		current := p.packets.sent[peer] == v
		v.sent[i] = time.Now()
		p.mu.Unlock()
		if !current {
			return
		}
		d.index = uint32(i)
		_, _ = p.packets.conn.WriteToUDP(d.encode(0), to) // lost is lost
	}
}

// pause is how long to wait before the ith datagram. A few are sent now and
// later, as one that is lost by accident must not look like a cut; many in
// bulks; those behind ballast at once, as they tell how long it took.
func pause(i, many, ballast int) time.Duration {
	switch {
	case ballast > 0 || i == 0:
		return 0
	case many == 0:
		return time.Duration(i) * 150 * time.Millisecond
	case i%volleyBulk == 0:
		return volleyPause
	}
	return 0
}

func (p *Prober) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}
