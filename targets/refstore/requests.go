package refstore

import (
	"slices"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// requests are those that need a place in the log and have not been answered yet.
type requests struct {
	byID    map[uint64]*pending
	waiting []uint64           // to be proposed at the next Flush
	places  map[uint64][]place // by index: what we put there ourselves as leader
}

// pending is a request on its way.
type pending struct {
	command *command
	since   time.Duration // when it came
	live    int           // attempts not proven dead: while there is one, nobody knows
	asked   time.Duration // the last attempt,
	term    uint64        // its term,
	local   bool          // and whether it went into our own log rather than to the leader's
	queued  bool          // it is in waiting
	parts   []MicroOp     // torn-txn: what is still to be proposed
	done    []MicroOp     // torn-txn: what has been
}

// place is an attempt in our own log.
type place struct {
	term uint64
	id   uint64
}

func newRequests() requests {
	return requests{byID: map[uint64]*pending{}, places: map[uint64][]place{}}
}

// Request takes a client's request. Exactly one Reply with this id follows, in this life of the node.
func (r *Replica) Request(id uint64, q Request, now Moment) {
	r.now = now
	if err := q.Validate(); err != nil {
		r.reply(Reply{ID: id, Code: Invalid, Error: err.Error()})
		return
	}
	if q.ReadOnly() || q.Op == OpTxn && r.set.Bug == BugWriteSkew {
		r.read(id, q)
		return
	}
	c := &command{Request: q}
	p := r.admitRequest(id, c)
	if q.Op == OpTxn && r.set.Bug == BugTornTxn {
		p.parts = q.Ops
		r.nextPart(p)
	}
}

// admitRequest queues a command of our own for the next Flush.
func (r *Replica) admitRequest(id uint64, c *command) *pending {
	c.Origin, c.Incarnation, c.ID, c.Born = r.set.ID, r.set.Incarnation, id, r.state.applied
	p := &pending{command: c, since: r.now.Mono}
	r.requests.byID[id] = p
	r.queue(id, p)
	return p
}

func (r *Replica) queue(id uint64, p *pending) {
	if !p.queued {
		p.queued = true
		r.requests.waiting = append(r.requests.waiting, id)
	}
}

// maxBatch bounds the entries of one proposal, and with them the size of a forwarded message.
const maxBatch = 512

// proposeWaiting proposes all that waits, if there is a leader to propose to.
func (r *Replica) proposeWaiting() {
	for len(r.requests.waiting) > 0 && r.leader != raft.None {
		n := min(maxBatch, len(r.requests.waiting))
		batch := r.requests.waiting[:n:n]
		r.requests.waiting = r.requests.waiting[n:]
		var ids []uint64
		var entries []raftpb.Entry
		for _, id := range batch {
			p := r.requests.byID[id]
			if p == nil {
				continue // answered while it waited
			}
			p.queued = false
			if p.command.Op == OpMember {
				r.proposeMember(id, p)
				continue
			}
			ids = append(ids, id)
			entries = append(entries, raftpb.Entry{Data: p.command.encode()})
		}
		if len(entries) > 0 {
			r.propose(ids, entries)
		}
		r.drain() // so that lastIndex is right for the next batch
	}
}

// propose puts commands into our own log, or sends them to the leader. If raft refuses, nothing has
// happened, and tickRequests sees to it that they are tried again.
func (r *Replica) propose(ids []uint64, entries []raftpb.Entry) {
	err := r.node.Step(raftpb.Message{Type: raftpb.MsgProp, From: r.set.ID, Entries: entries})
	if err != nil {
		return
	}
	for i, id := range ids {
		p := r.requests.byID[id]
		p.live++
		p.asked, p.term, p.local = r.now.Mono, r.term, r.role == raft.StateLeader
		if p.local {
			index := r.lastIndex + 1 + uint64(i)
			r.requests.places[index] = append(r.requests.places[index], place{r.term, id})
			r.acknowledgeEarly(id, p)
		}
	}
}

// proposeMember proposes a change of membership; it is tried once, for a second try could undo what
// somebody else changed meanwhile.
func (r *Replica) proposeMember(id uint64, p *pending) {
	if p.live > 0 {
		return
	}
	change := raftpb.ConfChange{Type: raftpb.ConfChangeAddNode, NodeID: p.command.Member.ID, Context: p.command.encode()}
	if p.command.Remove {
		change.Type = raftpb.ConfChangeRemoveNode
	}
	if r.node.ProposeConfChange(change) == nil {
		p.live++
		p.asked, p.term, p.local = r.now.Mono, r.term, true
	}
}

func (r *Replica) applyConfChange(e *raftpb.Entry) {
	var change raftpb.ConfChange
	if err := change.Unmarshal(e.Data); err != nil {
		panic("conf change: " + err.Error()) // the log passed its checksums: our own bug
	}
	r.conf = *r.node.ApplyConfChange(change)
	r.confChanged = true
	c, err := decodeCommand(change.Context)
	if err != nil || c.Member == nil {
		return // proposed by something that is not this program
	}
	if c.Remove {
		delete(r.state.Members, c.Member.ID)
	} else {
		r.state.Members[c.Member.ID] = *c.Member
	}
	r.out.Members = r.Members()
	if c.Origin == r.set.ID && c.Incarnation == r.set.Incarnation {
		r.completeRequest(c, Result{}, true)
	}
}

// completeRequest answers a request of ours that has just been applied.
func (r *Replica) completeRequest(c *command, result Result, known bool) {
	p := r.requests.byID[c.ID]
	if p == nil {
		return // answered before: this is a retry's second arrival
	}
	switch {
	case !known:
		r.answer(c.ID, Reply{Code: Unknown, Error: "the session was forgotten"})
	case result.Refused != "":
		r.answer(c.ID, Reply{Code: Refused, Result: result})
	case len(p.parts) > 0 || len(p.done) > 0:
		if c.Part == p.command.Part {
			r.completePart(c.ID, p, result)
		}
	default:
		r.answer(c.ID, Reply{Code: Done, Result: result})
	}
}

func (r *Replica) answer(id uint64, reply Reply) {
	reply.ID = id
	delete(r.requests.byID, id)
	r.reply(reply)
}

func (r *Replica) reply(reply Reply) { r.out.Replies = append(r.out.Replies, reply) }

// settlePlace closes the book on an index: what we put there in another term than the one applied has
// been overwritten, and can never be applied from there.
func (r *Replica) settlePlace(e *raftpb.Entry) {
	for _, put := range r.requests.places[e.Index] {
		if p := r.requests.byID[put.id]; p != nil && put.term != e.Term {
			p.live--
			r.queue(put.id, p)
		}
	}
	delete(r.requests.places, e.Index)
}

// tickRequests answers those whose time is up, and tries others again.
func (r *Replica) tickRequests() {
	for _, id := range sortedKeys(r.requests.byID) {
		p := r.requests.byID[id]
		age := r.now.Mono - p.since
		switch {
		case age >= r.set.RequestTimeout && p.live > 0:
			r.answer(id, Reply{Code: Unknown, Error: "no outcome in time"})
		case age >= r.set.RequestTimeout:
			r.answer(id, Reply{Code: Unavailable, Error: "not proposed in time"})
		case r.leader == raft.None && p.live == 0 && age >= r.set.LeaderTimeout:
			r.answer(id, Reply{Code: Unavailable, Error: "no leader"})
		case r.mayRetry(p):
			r.queue(id, p)
		}
	}
	r.requests.waiting = slices.DeleteFunc(r.requests.waiting, func(id uint64) bool { return r.requests.byID[id] == nil })
}

// mayRetry says whether to propose p again. An entry in our own log waits for its fate as long as we
// lead in its term. Whoever has no name cannot be told apart from its retry, and gets only one chance.
func (r *Replica) mayRetry(p *pending) bool {
	switch {
	case p.live == 0:
		return true
	case p.command.Client == "" || p.command.Op == OpMember:
		return false
	case p.local:
		return p.term != r.term
	}
	return p.term != r.term || r.now.Mono-p.asked >= r.set.RetryAfter
}
