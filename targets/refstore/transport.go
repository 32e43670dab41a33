package refstore

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// Between nodes a connection carries messages one way: length, 4 bytes, little-endian | raftpb.Message.
// Length 0 is a sign of life. A connection that stalls looks like one on which nothing happens, so both
// ends give up on silence: the sender dials again when writing blocks, or when nothing at all has come
// from that peer for a while; the receiver hangs up on a sender that gives no sign of life.
const (
	signOfLife  = 300 * time.Millisecond
	silence     = 2 * time.Second // the receiver's patience
	redialAfter = 1 * time.Second // the sender's
	writeStall  = 500 * time.Millisecond
	dialTimeout = 500 * time.Millisecond
	backoffMin  = 10 * time.Millisecond
	backoffMax  = 200 * time.Millisecond

	maxMessage = 256 << 20
	peerQueue  = 2048 // messages waiting for a peer; more are dropped, which raft allows
)

// transport sends messages to the peers, one goroutine and one connection each.
type transport struct {
	ctx     context.Context
	log     *logger
	lost    func(peer uint64) // called when messages to a peer were lost
	mu      sync.Mutex
	senders map[uint64]*sender
	wg      sync.WaitGroup
}

type sender struct {
	id     uint64
	addr   string
	queue  chan raftpb.Message
	cancel context.CancelFunc
	heard  atomic.Int64 // when something came from that peer, in nanoseconds since start
	log    *logger
	lost   func(peer uint64)
}

func newTransport(ctx context.Context, log *logger, lost func(uint64)) *transport {
	return &transport{ctx: ctx, log: log, lost: lost, senders: map[uint64]*sender{}}
}

// setPeers starts sending to new peers and stops sending to those gone.
func (t *transport) setPeers(addrs map[uint64]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, s := range t.senders {
		if addrs[id] != s.addr {
			s.cancel()
			delete(t.senders, id)
		}
	}
	for id, addr := range addrs {
		if t.senders[id] != nil || addr == "" {
			continue
		}
		ctx, cancel := context.WithCancel(t.ctx)
		s := &sender{id: id, addr: addr, queue: make(chan raftpb.Message, peerQueue), cancel: cancel, log: t.log, lost: t.lost}
		t.senders[id] = s
		t.wg.Go(func() { s.run(ctx) })
	}
}

func (t *transport) send(m raftpb.Message) {
	t.mu.Lock()
	s := t.senders[m.To]
	t.mu.Unlock()
	if s == nil {
		return
	}
	select {
	case s.queue <- m:
	default: // full: lost, as messages may be
	}
}

// heardFrom notes that a peer is alive.
func (t *transport) heardFrom(id uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.senders[id]; s != nil {
		s.heard.Store(int64(time.Since(started)))
	}
}

// started is what the monotonic times of this process count from.
var started = time.Now()

// run dials and sends until ctx is done.
func (s *sender) run(ctx context.Context) {
	backoff := backoffMin
	for ctx.Err() == nil {
		dialer := net.Dialer{Timeout: dialTimeout}
		conn, err := dialer.DialContext(ctx, "tcp", s.addr)
		if err == nil {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			var sent int
			sent, err = s.sendAll(ctx, conn)
			stop()
			_ = conn.Close()
			if sent > 0 {
				backoff = backoffMin
			}
		}
		if ctx.Err() != nil {
			return
		}
		s.log.Debugf("connection to peer %d: %v", s.id, err)
		s.lost(s.id)
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, backoffMax)
	}
}

// sendAll writes queued messages until something goes wrong.
func (s *sender) sendAll(ctx context.Context, conn net.Conn) (sent int, err error) {
	w := bufio.NewWriterSize(conn, 64<<10)
	alive := time.NewTicker(signOfLife)
	defer alive.Stop()
	dialled := time.Since(started)
	for {
		var m raftpb.Message
		select {
		case <-ctx.Done():
			return sent, ctx.Err()
		case <-alive.C:
			heard := max(time.Duration(s.heard.Load()), dialled)
			if time.Since(started)-heard > redialAfter {
				return sent, fmt.Errorf("nothing heard for %v", redialAfter)
			}
			err = writeFrame(w, nil)
		case m = <-s.queue:
			err = s.writeBatch(w, conn, m)
			sent++
		}
		if err == nil {
			err = s.flush(w, conn)
		}
		if err != nil {
			return sent, err
		}
	}
}

// writeBatch writes m and all that has queued up behind it.
func (s *sender) writeBatch(w *bufio.Writer, conn net.Conn, m raftpb.Message) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeStall)); err != nil {
		return err
	}
	for {
		if err := writeFrame(w, mustMarshal(&m)); err != nil {
			return err
		}
		select {
		case m = <-s.queue:
		default:
			return nil
		}
	}
}

func (s *sender) flush(w *bufio.Writer, conn net.Conn) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeStall)); err != nil {
		return err
	}
	return w.Flush()
}

func writeFrame(w *bufio.Writer, body []byte) error {
	var length [4]byte
	binary.LittleEndian.PutUint32(length[:], uint32(len(body)))
	if _, err := w.Write(length[:]); err != nil {
		return err
	}
	_, err := w.Write(body)
	return err
}

// accept takes connections from peers and gives their messages to deliver, until the listener closes.
func (t *transport) accept(listener net.Listener, deliver func(raftpb.Message)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return // closed: the only way that a listener of ours fails for good
		}
		t.wg.Go(func() {
			stop := context.AfterFunc(t.ctx, func() { _ = conn.Close() })
			defer stop()
			err := t.receive(conn, deliver)
			_ = conn.Close()
			t.log.Debugf("connection from %v: %v", conn.RemoteAddr(), err)
		})
	}
}

func (t *transport) receive(conn net.Conn, deliver func(raftpb.Message)) error {
	r := bufio.NewReaderSize(conn, 64<<10)
	var from uint64
	for {
		if err := conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return err
		}
		var length [4]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return err
		}
		n := binary.LittleEndian.Uint32(length[:])
		if n > maxMessage {
			return fmt.Errorf("message of %d bytes", n)
		}
		if n > 0 {
			body := make([]byte, n)
			if _, err := io.ReadFull(r, body); err != nil {
				return err
			}
			var m raftpb.Message
			if err := m.Unmarshal(body); err != nil {
				return err
			}
			from = m.From
			deliver(m)
		}
		if from != 0 {
			t.heardFrom(from)
		}
	}
}
