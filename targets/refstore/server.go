package refstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// Options say how to run a node as a process with sockets and files.
type Options struct {
	Settings                       // ID, Members, Bug and so on; Incarnation and Log are filled in
	Dir          string            // where to keep the log and snapshots
	ListenClient string            // host:port for clients, HTTP
	ListenPeer   string            // host:port for the other nodes
	Peers        map[uint64]string // how to reach the others from here; goes before Member.PeerAddr
	Stderr       io.Writer         // log lines
	LogLevel     int               // 0 debug, 1 info, 2 warning, 3 error
}

// slowDisk is how long a follower with the planted bug forgotten-vote waits before it writes to its disk.
// The bug does harm where logs differ in length when their nodes die, and this makes it likely.
const slowDisk = 40 * time.Millisecond

// flushEvery is how long the planted bug no-fsync keeps what it promised in memory.
const flushEvery = 4 * time.Second

// server drives a Replica: it feeds it from sockets, timers and the disk, and carries out its effects.
// One goroutine owns the replica, one the disk.
type server struct {
	opts    Options
	log     *logger
	replica *Replica
	disk    *disk
	net     *transport

	inputs  chan func(Moment) error // to be called by the goroutine that owns the replica
	writes  writeQueue
	nextID  atomic.Uint64
	mu      sync.Mutex
	replies map[uint64]chan Reply
	leads   atomic.Bool
}

// writeQueue hands writes from the replica's goroutine to the disk's. It has no bound, because neither
// may wait for the other; raft stops producing when the disk does not keep up.
type writeQueue struct {
	mu     sync.Mutex
	writes []Write
	some   chan struct{} // has room for one: a token while there may be writes
}

func (q *writeQueue) put(writes []Write) {
	q.mu.Lock()
	q.writes = append(q.writes, writes...)
	q.mu.Unlock()
	select {
	case q.some <- struct{}{}:
	default:
	}
}

func (q *writeQueue) takeAll() []Write {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.writes
	q.writes = nil
	return all
}

// Serve runs a node until ctx is done, which is a graceful end and returns nil, or until its disk fails.
// ready, if not nil, is told the addresses once both sockets listen.
func Serve(ctx context.Context, opts Options, ready func(client, peer net.Addr)) error {
	s := &server{
		opts: opts, log: &logger{w: opts.Stderr, level: opts.LogLevel},
		inputs: make(chan func(Moment) error, 4096), writes: writeQueue{some: make(chan struct{}, 1)}, replies: map[uint64]chan Reply{},
	}
	opts.Settings.Log = s.log
	opened, saved, err := openDisk(opts.Dir)
	if err != nil {
		return err
	}
	s.disk = opened
	s.replica, err = NewReplica(opts.Settings, saved, s.moment())
	if err != nil {
		return err
	}
	clients, err := listen(ctx, opts.ListenClient)
	if err != nil {
		return fmt.Errorf("listen for clients: %w", err)
	}
	peers, err := listen(ctx, opts.ListenPeer)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for peers: %w", err), clients.Close())
	}
	if ready != nil {
		ready(clients.Addr(), peers.Addr())
	}
	s.log.Infof("node %d serves clients on %v, peers on %v; bug %q", opts.ID, clients.Addr(), peers.Addr(), opts.Bug)
	return s.run(ctx, clients, peers)
}

// listen tries for a while: a node that was killed comes back at the same address, and somebody's outgoing
// connection may have borrowed the port meanwhile.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	deadline := time.After(5 * time.Second)
	for {
		l, err := net.Listen("tcp", addr)
		if err == nil || !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline:
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// run starts the goroutines and waits for all of them.
func (s *server) run(ctx context.Context, clients, peers net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.net = newTransport(ctx, s.log, func(peer uint64) {
		s.input(ctx, func(Moment) error { s.replica.Unreachable(peer); return nil })
	})
	s.net.setPeers(s.peerAddrs(nil))
	web := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	var wg sync.WaitGroup
	wg.Go(func() { s.net.accept(peers, func(m raftpb.Message) { s.deliver(ctx, m) }) })
	wg.Go(func() { _ = web.Serve(clients) }) // returns when it is closed below
	wg.Go(func() {
		if err := s.writeAll(ctx); err != nil {
			cancel(err)
		}
	})
	wg.Go(func() {
		if err := s.loop(ctx); err != nil {
			cancel(err)
		}
	})
	<-ctx.Done()
	err := errors.Join(web.Close(), peers.Close())
	wg.Wait()
	s.net.wg.Wait()
	err = errors.Join(err, s.disk.close())
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	s.log.Infof("node %d stops", s.opts.ID)
	return err
}

// moment is the only place where this program reads the clock for the replica. Round strips the
// monotonic reading, so that the wall time is what the process sees, jumps and all.
func (s *server) moment() Moment {
	now := time.Now()
	return Moment{Wall: now.Round(0), Mono: now.Sub(started)}
}

// input hands f to the goroutine that owns the replica.
func (s *server) input(ctx context.Context, f func(Moment) error) {
	select {
	case s.inputs <- f:
	case <-ctx.Done():
	}
}

func (s *server) deliver(ctx context.Context, m raftpb.Message) {
	if m.To == s.opts.ID {
		s.input(ctx, func(now Moment) error { s.replica.Receive(m, now); return nil })
	}
}

// loop owns the replica. It takes what has come in, all of it, before it asks for the effects: under
// load that makes one proposal, one write and one sync out of many requests.
func (s *server) loop(ctx context.Context) error {
	tick := time.NewTicker(s.opts.tick())
	defer tick.Stop()
	for {
		s.carryOut(s.replica.Flush())
		s.leads.Store(s.replica.role == raft.StateLeader)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.replica.Tick(s.moment())
		case f := <-s.inputs:
			now := s.moment()
			err := f(now)
			for n := len(s.inputs); n > 0 && err == nil; n-- {
				err = (<-s.inputs)(now)
			}
			if err != nil {
				return err
			}
		}
	}
}

func (o *Options) tick() time.Duration {
	if o.Tick > 0 {
		return o.Tick
	}
	return 20 * time.Millisecond
}

func (s *server) carryOut(e Effects) {
	if e.Members != nil {
		s.net.setPeers(s.peerAddrs(e.Members))
	}
	if len(e.Writes) > 0 {
		s.writes.put(e.Writes)
	}
	for _, m := range e.Messages {
		s.net.send(m)
	}
	for _, reply := range e.Replies {
		s.mu.Lock()
		answer := s.replies[reply.ID]
		delete(s.replies, reply.ID)
		s.mu.Unlock()
		if answer != nil {
			answer <- reply // has room for one
		}
	}
}

// peerAddrs says how to reach the others. A node that waits to be added knows no members yet, but must
// be able to answer, and a former member may be one again.
func (s *server) peerAddrs(members []Member) map[uint64]string {
	addrs := map[uint64]string{}
	for _, m := range members {
		addrs[m.ID] = m.PeerAddr
	}
	maps.Copy(addrs, s.opts.Peers)
	delete(addrs, s.opts.ID)
	return addrs
}

// writeAll owns the disk. Writes that came while it was busy are done together, with one sync.
func (s *server) writeAll(ctx context.Context) error {
	late := time.NewTicker(flushEvery)
	defer late.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-late.C: // only the planted bug no-fsync leaves anything to do here
			if err := s.disk.flush(); err != nil {
				return err
			}
			continue
		case <-s.writes.some:
		}
		if s.opts.Bug == BugForgottenVote && !s.leads.Load() {
			select {
			case <-ctx.Done():
			case <-time.After(slowDisk):
			}
		}
		writes := s.writes.takeAll()
		if err := s.disk.write(writes); err != nil {
			return err
		}
		s.input(ctx, func(now Moment) error { return s.written(writes, now) })
	}
}

func (s *server) written(writes []Write, now Moment) error {
	for _, w := range writes {
		if err := s.replica.Written(w.Seq, now); err != nil {
			return err
		}
	}
	return nil
}
