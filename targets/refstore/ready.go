package refstore

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// drain turns everything that raft has ready into effects.
func (r *Replica) drain() {
	for r.node.HasReady() {
		rd := r.node.Ready()
		if rd.SoftState != nil {
			r.changeRole(rd.SoftState.RaftState, rd.SoftState.Lead)
		}
		r.term = r.node.BasicStatus().Term
		if n := len(rd.Entries); n > 0 {
			r.lastIndex = rd.Entries[n-1].Index
			r.speculate(rd.Entries)
		}
		for _, rs := range rd.ReadStates {
			r.confirmReads(rs)
		}
		for _, m := range rd.Messages {
			r.dispatch(m)
		}
	}
}

func (r *Replica) changeRole(role raft.StateType, leader uint64) {
	wasLeader := r.role == raft.StateLeader
	r.role, r.leader = role, leader
	if isLeader := role == raft.StateLeader; isLeader != wasLeader {
		r.resetLeases(isLeader)
		r.resetSpeculation(isLeader)
		r.wallLease = wallLease{}
	}
}

// dispatch gives a message of raft's to where it belongs: the disk, the state, another node.
func (r *Replica) dispatch(m raftpb.Message) {
	switch m.To {
	case raft.LocalAppendThread:
		r.write(Write{
			HardState: raftpb.HardState{Term: m.Term, Vote: m.Vote, Commit: m.Commit},
			Entries:   m.Entries, Snapshot: m.Snapshot, Reset: m.Snapshot != nil,
		}, m.Responses)
	case raft.LocalApplyThread:
		for i := range m.Entries {
			r.applyEntry(&m.Entries[i])
		}
		for _, response := range m.Responses {
			_ = r.node.Step(response) // local, and never refused
		}
		r.completeReads()
		r.snapshotIfDue()
	default:
		if m.Type == raftpb.MsgSnap {
			r.snapSends[m.To] = 0
		}
		r.promise(&m)
		r.out.Messages = append(r.out.Messages, m)
	}
}

func (r *Replica) write(w Write, responses []raftpb.Message) {
	r.writeSeq++
	w.Seq, w.Sync = r.writeSeq, r.set.Bug != BugNoFsync
	if r.set.Bug == BugForgottenVote {
		w.HardState = raftpb.HardState{}
	}
	r.writing = append(r.writing, pendingWrite{w, responses})
	r.out.Writes = append(r.out.Writes, w)
}

// Written says that the Write with this number is done. Writes complete in order.
func (r *Replica) Written(seq uint64, now Moment) error {
	r.now = now
	if len(r.writing) == 0 || r.writing[0].write.Seq != seq {
		return fmt.Errorf("write %d completed out of order", seq)
	}
	done := r.writing[0]
	r.writing = r.writing[1:]
	if err := r.remember(done.write); err != nil {
		return fmt.Errorf("complete write %d: %w", seq, err)
	}
	for _, m := range done.responses {
		if m.To == r.set.ID {
			_ = r.node.Step(m) // local, and never refused
		} else {
			r.out.Messages = append(r.out.Messages, m)
		}
	}
	return nil
}

// remember puts what is on disk now into the storage that raft reads from.
func (r *Replica) remember(w Write) error {
	switch {
	case w.Snapshot != nil && w.Reset:
		if err := r.storage.ApplySnapshot(*w.Snapshot); err != nil {
			return err
		}
		if err := r.install(*w.Snapshot); err != nil {
			return err
		}
		r.completeReads()
	case w.Snapshot != nil:
		r.snapping = false
		err := r.compact(w)
		r.snapshotIfDue()
		return err
	}
	if !raft.IsEmptyHardState(w.HardState) {
		if err := r.storage.SetHardState(w.HardState); err != nil {
			return err
		}
	}
	return r.storage.Append(w.Entries)
}

func (r *Replica) compact(w Write) error {
	meta := w.Snapshot.Metadata
	if held, err := r.storage.Snapshot(); err != nil || held.Metadata.Index >= meta.Index {
		return err // a newer one came from the leader meanwhile
	}
	if _, err := r.storage.CreateSnapshot(meta.Index, &meta.ConfState, w.Snapshot.Data); err != nil {
		return err
	}
	if first, err := r.storage.FirstIndex(); err != nil || w.Compact < first {
		return err
	}
	return r.storage.Compact(w.Compact)
}

func (r *Replica) applyEntry(e *raftpb.Entry) {
	if e.Term != r.state.term && e.Type == raftpb.EntryNormal && len(e.Data) == 0 {
		r.state.leaderChanged()
	}
	r.state.applied, r.state.term = e.Index, e.Term
	switch {
	case e.Type == raftpb.EntryConfChange:
		r.applyConfChange(e)
	case e.Type == raftpb.EntryNormal && len(e.Data) > 0:
		c, err := decodeCommand(e.Data)
		if err != nil {
			panic(fmt.Sprintf("entry %d: %v", e.Index, err)) // the log passed its checksums: our own bug
		}
		result, known := r.state.apply(c, e.Index)
		r.noteLease(c, result)
		if c.Origin == r.set.ID && c.Incarnation == r.set.Incarnation {
			r.completeRequest(c, result, known)
		}
	}
	r.settlePlace(e)
}

// keepEntries is how many entries before a snapshot stay in the log, for nodes that lag a little.
const keepEntries = 500

// snapshotIfDue saves the state now and then, and when the membership has changed: raft does not accept
// a snapshot from before it was added.
func (r *Replica) snapshotIfDue() {
	held, err := r.storage.Snapshot()
	due := r.confChanged || r.state.applied-held.Metadata.Index >= r.set.SnapshotEvery
	if err != nil || r.snapping || !due || r.state.applied == held.Metadata.Index {
		return
	}
	r.confChanged = false
	r.snapping = true
	snap := &raftpb.Snapshot{Data: r.state.encode(), Metadata: raftpb.SnapshotMetadata{
		Index: r.state.applied, Term: r.state.term, ConfState: r.conf,
	}}
	keepFrom := max(r.state.applied, keepEntries) - keepEntries
	r.write(Write{Snapshot: snap, Compact: keepFrom}, nil)
}

// tickSnapshots tells raft that a snapshot it sent long ago may be sent again. The receiver's progress
// shows whether it got it; nobody else reports.
func (r *Replica) tickSnapshots() {
	for _, id := range sortedKeys(r.snapSends) {
		r.snapSends[id]++
		if r.snapSends[id] >= 2*r.set.ElectionTicks {
			delete(r.snapSends, id)
			r.node.ReportSnapshot(id, raft.SnapshotFailure)
		}
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func memberIDs(members []Member) []uint64 {
	ids := make([]uint64, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	slices.Sort(ids)
	return ids
}
