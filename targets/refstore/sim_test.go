package refstore

import (
	"container/heap"
	crand "crypto/rand"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// simulation runs replicas in virtual time, with a network that loses, delays and repeats messages and
// disks that forget at a crash what was not synced. It is repeatable: everything comes from the seed.
type simulation struct {
	rng      *rand.Rand
	now      time.Duration
	seq      int
	events   eventQueue
	nodes    []*simNode
	bug      string
	cut      map[[2]uint64]bool // directed
	asks     map[uint64]func(Reply)
	askSeq   uint64
	size     uint64
	crash    []string          // panics of replicas
	chosen   map[uint64]string // by index: the entry that some node has applied
	diverged string            // how a node applied something else
}

type simNode struct {
	id       uint64
	checked  uint64
	life     int // events of earlier lives are ignored
	replica  *Replica
	durable  simDisk
	buffered []Write // written, not synced
	pending  []Write // on their way to the disk
	flushing bool
	paused   bool
	backlog  []func()
	frozen   bool
	frozenAt time.Duration
	offset   time.Duration // of the wall clock
}

type simEvent struct {
	at  time.Duration
	seq int
	do  func()
}

type eventQueue []simEvent

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(simEvent)) }
func (q *eventQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// newSimulation takes over crypto/rand.Reader, from which raft draws, for the test's duration.
func newSimulation(t *testing.T, seed uint64, nodes int, bug string) *simulation {
	t.Helper()
	old := crand.Reader
	crand.Reader = seededReader(seed, 0)
	t.Cleanup(func() { crand.Reader = old })
	s := &simulation{
		rng: rand.New(rand.NewPCG(seed, 7)), bug: bug, size: uint64(nodes), cut: map[[2]uint64]bool{}, asks: map[uint64]func(Reply){}, chosen: map[uint64]string{},
	}
	for i := range nodes {
		n := &simNode{id: uint64(i + 1)}
		s.nodes = append(s.nodes, n)
		s.start(n)
	}
	return s
}

func (s *simulation) after(d time.Duration, do func()) {
	s.seq++
	heap.Push(&s.events, simEvent{s.now + d, s.seq, do})
}

func (s *simulation) run(until time.Duration) {
	for len(s.events) > 0 && s.events[0].at <= until {
		e := heap.Pop(&s.events).(simEvent)
		s.now = e.at
		e.do()
	}
	s.now = until
}

func (s *simulation) between(low, high time.Duration) time.Duration {
	return low + time.Duration(s.rng.Int64N(int64(high-low)))
}

func (s *simulation) moment(n *simNode) Moment {
	wall := s.now + n.offset
	if n.frozen {
		wall = n.frozenAt
	}
	return Moment{Wall: time.Unix(1000, 0).Add(wall), Mono: s.now}
}

func (s *simulation) settings(n *simNode) Settings {
	set := Settings{ID: n.id, Incarnation: uint64(n.life), Bug: s.bug, SnapshotEvery: 300, MaxSessions: 64}
	for _, m := range s.nodes {
		set.Members = append(set.Members, Member{ID: m.id, Name: fmt.Sprintf("n%d", m.id)})
	}
	for id := uint64(len(s.nodes) + 1); id <= s.size; id++ { // while the first nodes are being made
		set.Members = append(set.Members, Member{ID: id, Name: fmt.Sprintf("n%d", id)})
	}
	return set
}

func (s *simulation) start(n *simNode) {
	n.life++
	n.flushing, n.paused, n.backlog, n.checked = false, false, nil, 0
	replica, err := NewReplica(s.settings(n), n.durable.saved(), s.moment(n))
	if err != nil {
		panic(err)
	}
	n.replica = replica
	s.tick(n, n.life)
	s.flushSoon(n)
}

func (s *simulation) tick(n *simNode, life int) {
	s.after(s.between(19*time.Millisecond, 21*time.Millisecond), func() {
		if n.life != life || n.replica == nil {
			return
		}
		if !n.paused {
			s.input(n, func() { n.replica.Tick(s.moment(n)) })
		}
		s.tick(n, life)
	})
}

// input gives the node something to do, now or when it goes on.
func (s *simulation) input(n *simNode, f func()) {
	switch {
	case n.replica == nil:
	case n.paused:
		n.backlog = append(n.backlog, f)
	default:
		s.guard(n, f)
		s.flushSoon(n)
	}
}

// guard turns a panic in a replica into a crash of its node.
func (s *simulation) guard(n *simNode, f func()) {
	defer func() {
		if cause := recover(); cause != nil {
			s.crash = append(s.crash, fmt.Sprint(cause))
			s.kill(n)
			s.after(time.Second, func() { s.restart(n) })
		}
	}()
	f()
}

func (s *simulation) flushSoon(n *simNode) {
	if n.flushing || n.replica == nil {
		return
	}
	n.flushing = true
	life := n.life
	s.after(s.between(0, 300*time.Microsecond), func() {
		if n.life != life || n.replica == nil {
			return
		}
		n.flushing = false
		if n.paused {
			return
		}
		var e Effects
		s.guard(n, func() { e = n.replica.Flush() })
		s.carryOut(n, e)
		s.compare(n)
	})
}

// compare checks Raft's own promise: all nodes apply the same entry at an index.
func (s *simulation) compare(n *simNode) {
	if n.replica == nil {
		return
	}
	first, _ := n.replica.storage.FirstIndex()
	low, high := max(first, n.checked+1), n.replica.state.applied+1
	if low >= high {
		return
	}
	entries, err := n.replica.storage.Entries(low, high, math.MaxUint64)
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		entry := fmt.Sprintf("term %d: %s", e.Term, e.Data)
		if seen, ok := s.chosen[e.Index]; ok && seen != entry && s.diverged == "" {
			s.diverged = fmt.Sprintf("node %d applied at %d %s; another one %s", n.id, e.Index, entry, seen)
		}
		s.chosen[e.Index] = entry
	}
	n.checked = high - 1
}

func (s *simulation) carryOut(n *simNode, e Effects) {
	if len(e.Writes) > 0 {
		s.write(n, e.Writes)
	}
	for _, m := range e.Messages {
		s.send(m)
	}
	for _, reply := range e.Replies {
		if ask := s.asks[reply.ID]; ask != nil {
			delete(s.asks, reply.ID)
			s.after(s.between(50*time.Microsecond, 500*time.Microsecond), func() { ask(reply) })
		}
	}
}

func (s *simulation) send(m raftpb.Message) {
	if s.rng.IntN(100) < 1 {
		return
	}
	copies := 1 + s.rng.IntN(100)/99
	for range copies {
		s.after(s.between(100*time.Microsecond, 3*time.Millisecond), func() {
			if s.cut[[2]uint64{m.From, m.To}] || m.To > uint64(len(s.nodes)) {
				return
			}
			to := s.nodes[m.To-1]
			s.input(to, func() { to.replica.Receive(copyMessage(m), s.moment(to)) })
		})
	}
}

// copyMessage does what the wire does: sender and receiver share no memory.
func copyMessage(m raftpb.Message) raftpb.Message {
	var c raftpb.Message
	if err := c.Unmarshal(mustMarshal(&m)); err != nil {
		panic(err)
	}
	return c
}

func (s *simulation) write(n *simNode, writes []Write) {
	n.pending = append(n.pending, writes...)
	life := n.life
	delay := s.between(200*time.Microsecond, 2*time.Millisecond)
	if s.rng.IntN(50) == 0 {
		delay *= 20
	}
	s.after(delay, func() {
		if n.life != life || n.replica == nil {
			return
		}
		for _, w := range writes {
			w = n.pending[0]
			n.pending = n.pending[1:]
			n.buffered = append(n.buffered, w)
			if w.Sync {
				n.sync()
			}
			s.input(n, func() {
				if err := n.replica.Written(w.Seq, s.moment(n)); err != nil {
					panic(err)
				}
			})
		}
	})
}

// sync makes everything durable that was written.
func (n *simNode) sync() {
	for _, w := range n.buffered {
		n.durable.save(w)
	}
	n.buffered = nil
}

// simDisk is what a disk holds.
type simDisk struct {
	disk
	snapshot raftpb.Snapshot
}

func (d *simDisk) save(w Write) {
	if w.Snapshot != nil {
		d.snapshot = *w.Snapshot
		d.state.drop(w)
	}
	if err := d.note(w); err != nil {
		panic(err)
	}
}

func (d *simDisk) saved() Saved {
	return Saved{HardState: d.state.hard, Snapshot: d.snapshot, Entries: slices.Clone(d.state.entries)}
}

// kill is kill -9: a write under way may reach the disk in part, what was never synced is gone.
func (s *simulation) kill(n *simNode) {
	if n.replica == nil {
		return
	}
	n.replica, n.life = nil, n.life+1
	for _, w := range n.pending {
		if !w.Sync || s.rng.IntN(2) == 0 {
			break
		}
		n.buffered = append(n.buffered, w)
		n.sync()
	}
	n.pending, n.buffered, n.backlog = nil, nil, nil
}

func (s *simulation) restart(n *simNode) {
	if n.replica == nil {
		s.start(n)
	}
}

func (s *simulation) pause(n *simNode) { n.paused = true }

func (s *simulation) resume(n *simNode) {
	if !n.paused {
		return
	}
	n.paused = false
	backlog := n.backlog
	n.backlog = nil
	for _, f := range backlog {
		s.input(n, f)
	}
	s.flushSoon(n)
}

// leader is the node that leads in the highest term, or nil.
func (s *simulation) leader() *simNode {
	var leader *simNode
	for _, n := range s.nodes {
		if n.replica == nil || n.replica.Status().Role != "leader" {
			continue
		}
		if leader == nil || n.replica.term > leader.replica.term {
			leader = n
		}
	}
	return leader
}

func (s *simulation) isolate(n *simNode) {
	for _, m := range s.nodes {
		if m != n {
			s.cut[[2]uint64{n.id, m.id}], s.cut[[2]uint64{m.id, n.id}] = true, true
		}
	}
}

func (s *simulation) reconnect() { clear(s.cut) }

// ask gives a request to a node; answer is called once, with ok false if no answer came in time.
func (s *simulation) ask(n *simNode, q Request, answer func(r Reply, ok bool)) {
	if n.replica == nil {
		answer(Reply{Code: Unavailable}, true)
		return
	}
	s.askSeq++
	id := s.askSeq
	s.asks[id] = func(r Reply) { answer(r, true) }
	s.after(s.between(50*time.Microsecond, 500*time.Microsecond), func() {
		s.input(n, func() { n.replica.Request(id, q, s.moment(n)) })
	})
	s.after(3*time.Second, func() {
		if s.asks[id] != nil {
			delete(s.asks, id)
			answer(Reply{}, false)
		}
	})
}
