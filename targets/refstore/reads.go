package refstore

import (
	"encoding/binary"
	"slices"
	"time"

	"go.etcd.io/raft/v3"
)

// reads are the requests that change nothing. They are answered from the node's own state, once raft has
// told how far that must have got for the answer to be up to date (ReadIndex). One question to the
// leader serves all the reads that came meanwhile.
type reads struct {
	waiting []pendingRead
	batches []readBatch // asked, in order
	seq     uint64
}

type pendingRead struct {
	id    uint64
	req   Request
	since time.Duration
}

type readBatch struct {
	seq       uint64
	asked     time.Duration
	reads     []pendingRead
	confirmed bool
	index     uint64 // answer when this has been applied
}

// maxQuestions is how many questions may be under way at once; two keep the leader busy, more would only
// make each serve fewer reads.
const maxQuestions = 2

func newReads() reads { return reads{} }

func (r *Replica) read(id uint64, q Request) {
	if r.readPlanted(id, q) {
		return
	}
	r.reads.waiting = append(r.reads.waiting, pendingRead{id, q, r.now.Mono})
}

// askWaiting asks for the reads that wait.
func (r *Replica) askWaiting() {
	asked := 0
	for _, b := range r.reads.batches {
		if !b.confirmed {
			asked++
		}
	}
	if len(r.reads.waiting) == 0 || asked >= maxQuestions || r.leader == raft.None {
		return
	}
	if r.role == raft.StateLeader && r.state.term != r.term {
		return // a new leader, which does not know yet how much is committed; raft forgets that if it is alone
	}
	r.ask(readBatch{reads: r.reads.waiting})
	r.reads.waiting = nil
}

func (r *Replica) ask(b readBatch) {
	r.reads.seq++
	b.seq, b.asked = r.reads.seq, r.now.Mono
	r.reads.batches = append(r.reads.batches, b)
	r.node.ReadIndex(r.question(b.seq))
}

// question names a batch. The name must never come again, not from this node nor from another.
func (r *Replica) question(seq uint64) []byte {
	name := binary.BigEndian.AppendUint64(nil, r.set.ID)
	name = binary.BigEndian.AppendUint64(name, r.set.Incarnation)
	return binary.BigEndian.AppendUint64(name, seq)
}

func (r *Replica) confirmReads(rs raft.ReadState) {
	if len(rs.RequestCtx) != 24 {
		return
	}
	seq := binary.BigEndian.Uint64(rs.RequestCtx[16:])
	for i := range r.reads.batches {
		if b := &r.reads.batches[i]; b.seq == seq {
			b.confirmed, b.index = true, rs.Index
		}
	}
	r.completeReads()
}

// completeReads answers the confirmed reads that the state has caught up with.
func (r *Replica) completeReads() {
	ready := func(b readBatch) bool { return b.confirmed && b.index <= r.state.applied }
	for _, b := range r.reads.batches {
		if !ready(b) {
			continue
		}
		for _, p := range b.reads {
			r.answerRead(p.id, p.req, r.state)
		}
	}
	r.reads.batches = slices.DeleteFunc(r.reads.batches, ready)
}

func (r *Replica) answerRead(id uint64, q Request, from *state) {
	if !q.ReadOnly() { // write-skew: these were a transaction's reads, now its writes
		r.proposeFromSnapshot(id, q)
		return
	}
	result := from.query(&q)
	code := Done
	if result.Refused != "" {
		code = Refused
	}
	r.reply(Reply{ID: id, Code: code, Result: result})
}

// tickReads asks again where no answer came, and gives up where time is over. A read changes nothing, so
// giving up is a definite answer.
func (r *Replica) tickReads() {
	lost := func(b readBatch) bool { return !b.confirmed && r.now.Mono-b.asked >= r.set.RetryAfter }
	for _, b := range r.reads.batches {
		if lost(b) {
			r.reads.waiting = append(r.reads.waiting, b.reads...)
		}
	}
	r.reads.batches = slices.DeleteFunc(r.reads.batches, lost)
	r.reads.waiting = slices.DeleteFunc(r.reads.waiting, r.giveUpRead)
	for i := range r.reads.batches {
		b := &r.reads.batches[i]
		b.reads = slices.DeleteFunc(b.reads, r.giveUpRead)
	}
}

func (r *Replica) giveUpRead(p pendingRead) bool {
	age := r.now.Mono - p.since
	if age < r.set.RequestTimeout && (age < r.set.LeaderTimeout || r.leader != raft.None) {
		return false
	}
	r.reply(Reply{ID: p.id, Code: Unavailable, Error: "no answer from a leader in time"})
	return true
}
