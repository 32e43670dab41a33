package refstore

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// This file holds what the planted bugs do to a replica, as far as it is not a line where it happens:
// no-fsync and forgotten-vote are in Replica.write, double-apply and write-skew, unfenced-lock and
// lost-message in the state.

// admit looks at a message before raft does. The correct store lets everything pass.
func (r *Replica) admit(m *raftpb.Message) bool {
	switch r.set.Bug {
	case BugNoFsync, BugForgottenVote:
		// A log that lost its end would make raft stop the process at once, for a heartbeat tells a
		// commit index that it believes to be there. We want to see what the loss does to clients.
		if m.Type == raftpb.MsgHeartbeat {
			m.Commit = min(m.Commit, r.lastIndex)
		}
	case BugLeaseClock:
		return r.admitLeased(m)
	}
	return true
}

// readPlanted answers a read at once, wrongly, and says whether it did.
func (r *Replica) readPlanted(id uint64, q Request) bool {
	from := r.state
	switch {
	case r.set.Bug == BugStaleRead && r.role != raft.StateLeader:
	case r.set.Bug == BugLeaseClock && r.leased():
	case r.set.Bug == BugDirtyRead && r.role == raft.StateLeader && r.spec.state != nil:
		from = r.spec.state
	default:
		return false
	}
	r.answerRead(id, q, from)
	return true
}

// acknowledgeEarly is the planted bug lost-write: the leader answers when the entry is in its own log.
// Only operations whose answer is known without applying them can be answered so.
func (r *Replica) acknowledgeEarly(id uint64, p *pending) {
	if r.set.Bug != BugLostWrite {
		return
	}
	c := p.command
	result := Result{}
	switch c.Op {
	case OpWrite, OpAdd, OpIncrement, OpEnqueue:
	case OpTxn:
		for _, m := range c.Ops {
			if m.F == "r" {
				return
			}
		}
		result.Ops = c.Ops
	default:
		return
	}
	r.answer(id, Reply{Code: Done, Result: result})
}

// proposeFromSnapshot is the planted bug write-skew: a transaction has read, and what it read goes into
// the log together with what it wants to write.
func (r *Replica) proposeFromSnapshot(id uint64, q Request) {
	done, _, err := runTxn(q.Ops, func(key string) Datum { return r.state.Data[key].clipped() })
	if err != nil {
		r.reply(Reply{ID: id, Code: Refused, Result: Result{Refused: err.Error()}})
		return
	}
	q.Ops = done
	r.admitRequest(id, &command{Request: q, Snapshot: r.state.applied})
}

// nextPart is the planted bug torn-txn: each micro-op of a transaction is an entry of its own, proposed
// when the one before has been applied.
func (r *Replica) nextPart(p *pending) {
	q := p.command.Request
	q.Ops = p.parts[:1:1]
	p.parts = p.parts[1:]
	next := *p.command
	next.Request, next.Part = q, p.command.Part+1
	p.command, p.live = &next, min(1, len(p.done)) // what is done cannot be proven not to have happened
	r.queue(next.ID, p)
}

func (r *Replica) completePart(id uint64, p *pending, result Result) {
	p.done = append(p.done, result.Ops...)
	if len(p.parts) == 0 {
		r.answer(id, Reply{Code: Done, Result: Result{Ops: p.done}})
		return
	}
	r.nextPart(p)
}

// speculation is the planted bug dirty-read: the leader's state with everything in it that is in its
// log, committed or not.
type speculation struct {
	state *state
	tail  []raftpb.Entry // the log as Ready told it, from the first entry not applied
}

func (r *Replica) speculate(entries []raftpb.Entry) {
	if r.set.Bug != BugDirtyRead {
		return
	}
	kept := r.spec.tail[:0]
	for _, e := range r.spec.tail {
		if e.Index > r.state.applied && e.Index < entries[0].Index {
			kept = append(kept, e)
		}
	}
	r.spec.tail = append(kept, entries...)
	if r.spec.state != nil {
		r.spec.state.applyAll(entries)
	}
}

func (r *Replica) resetSpeculation(leading bool) {
	r.spec.state = nil
	if r.set.Bug != BugDirtyRead || !leading {
		return
	}
	copied, err := decodeState(r.state.encode(), r.set.Bug, r.set.MaxSessions)
	if err != nil {
		panic("copy state: " + err.Error()) // we wrote it ourselves
	}
	copied.applied = r.state.applied
	copied.applyAll(r.spec.tail)
	r.spec.state = copied
}

func (s *state) applyAll(entries []raftpb.Entry) {
	for _, e := range entries {
		if e.Index <= s.applied || e.Type != raftpb.EntryNormal || len(e.Data) == 0 {
			continue
		}
		if c, err := decodeCommand(e.Data); err == nil {
			s.apply(c, e.Index)
		}
		s.applied = e.Index
	}
}

// wallLease is the planted bug lease-clock. With each heartbeat's answer a node tells its wall time and
// promises to elect nobody else for a while from then; the leader answers reads on its own, by its own
// wall clock, until the promises of a quorum have run out. That would be right if all clocks were.
// Trusting the lease, the leader does not step down when it has lost its quorum either.
type wallLease struct {
	until    time.Time
	promises map[uint64]time.Time
}

func (r *Replica) leased() bool {
	return r.role == raft.StateLeader && r.state.term == r.term && r.now.Wall.Before(r.wallLease.until)
}

// promise adds the wall time to the answer to a heartbeat.
func (r *Replica) promise(m *raftpb.Message) {
	if r.set.Bug == BugLeaseClock && m.Type == raftpb.MsgHeartbeatResp {
		m.Context = binary.BigEndian.AppendUint64(slices.Clone(m.Context), uint64(r.now.Wall.UnixNano()))
	}
}

// takePromise takes it off again, and makes the lease longer if it can be.
func (r *Replica) takePromise(m *raftpb.Message) {
	n := len(m.Context) - 8
	if n < 0 || r.role != raft.StateLeader || m.Term != r.term {
		return
	}
	if r.wallLease.promises == nil {
		r.wallLease.promises = map[uint64]time.Time{}
	}
	r.wallLease.promises[m.From] = time.Unix(0, int64(binary.BigEndian.Uint64(m.Context[n:])))
	m.Context = m.Context[:n]
	promises := slices.SortedFunc(maps.Values(r.wallLease.promises), time.Time.Compare)
	needed := len(r.conf.Voters) / 2 // besides ourselves
	if needed == 0 || len(promises) < needed {
		return
	}
	until := promises[len(promises)-needed].Add(r.set.Tick * time.Duration(r.set.ElectionTicks-1))
	if until.After(r.wallLease.until) {
		r.wallLease.until = until
	}
}

// admitLeased keeps the other side of the lease: no vote while the leader may hold it; and lets a leader
// with a lease answer for others.
func (r *Replica) admitLeased(m *raftpb.Message) bool {
	switch m.Type {
	case raftpb.MsgApp, raftpb.MsgHeartbeat, raftpb.MsgSnap:
		if m.Term >= r.term {
			r.quiet = 0
		}
	case raftpb.MsgVote, raftpb.MsgPreVote:
		return r.quiet >= r.set.ElectionTicks || r.role == raft.StateLeader
	case raftpb.MsgHeartbeatResp:
		r.takePromise(m)
	case raftpb.MsgReadIndex:
		if r.leased() {
			r.out.Messages = append(r.out.Messages, raftpb.Message{
				Type: raftpb.MsgReadIndexResp, From: r.set.ID, To: m.From, Term: r.term,
				Index: r.state.applied, Entries: m.Entries,
			})
			return false
		}
	}
	return true
}
