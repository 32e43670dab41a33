package refstore

import (
	"fmt"
	"maps"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// Moment is the time as the caller of a Replica has it. The replica reads no clock itself.
type Moment struct {
	Wall time.Time     // CLOCK_REALTIME: may jump. The correct store decides nothing by it
	Mono time.Duration // never goes back
}

// Settings are a replica's parameters. The zero value of a field means its default.
type Settings struct {
	ID          uint64
	Incarnation uint64   // differs in each life of the same node; anything unique will do
	Members     []Member // the first members, the same list in the same order on each of them
	Join        bool     // start empty and wait to be added, instead of founding the cluster with Members
	Bug         string   // one of Bugs, or empty for the correct store

	ElectionTicks  int           // ticks without a leader before an election; 10
	HeartbeatTicks int           // ticks between heartbeats; 2
	SnapshotEvery  uint64        // entries between snapshots; 5000
	MaxSessions    int           // clients remembered for deduplication; 4096
	RequestTimeout time.Duration // answer Unknown after this; 2 s
	LeaderTimeout  time.Duration // answer Unavailable when there was no leader for this long; 500 ms
	RetryAfter     time.Duration // propose again when nothing was heard of a proposal for this long; 100 ms
	Tick           time.Duration // how long a tick is; only the planted bug lease-clock asks; 20 ms
	Log            raft.Logger   // where raft writes; nil: nowhere
}

func (s Settings) withDefaults() Settings {
	setDefault(&s.ElectionTicks, 10)
	setDefault(&s.HeartbeatTicks, 2)
	setDefault(&s.SnapshotEvery, 5000)
	setDefault(&s.MaxSessions, 4096)
	if s.Bug == BugLeaseClock || s.Bug == BugDirtyRead {
		// An isolated leader of these kinds is happy to go on reading. Clients see it only if they are
		// not all waiting for a write.
		setDefault(&s.RequestTimeout, 300*time.Millisecond)
	}
	setDefault(&s.RequestTimeout, 2*time.Second)
	setDefault(&s.LeaderTimeout, 500*time.Millisecond)
	setDefault(&s.RetryAfter, 100*time.Millisecond)
	setDefault(&s.Tick, 20*time.Millisecond)
	if s.Log == nil {
		s.Log = silent{}
	}
	return s
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Saved is what a node finds on its disk when it starts. The zero Saved is an empty disk.
type Saved struct {
	HardState raftpb.HardState
	Snapshot  raftpb.Snapshot
	Entries   []raftpb.Entry // all of them after a common index not beyond the snapshot's
}

// Effects is what the driver has to do after an input. The order between the fields is free; each list
// is in order.
type Effects struct {
	Messages []raftpb.Message // to other nodes; may be lost, delayed, duplicated, reordered
	Writes   []Write          // to disk; answer each with Written once it is done
	Replies  []Reply
	Members  []Member // the membership, when it has changed
}

// Write is one step on disk. Writes are done in order. After a crash a Write whose completion was
// reported must be there (if Sync is set); one that was not reported may be there or not, but never
// without those before it.
type Write struct {
	Seq       uint64
	HardState raftpb.HardState // replaces the last one, unless empty
	Entries   []raftpb.Entry   // follow the log, replacing whatever it has from the first one's index on
	Snapshot  *raftpb.Snapshot // replaces the last one
	Reset     bool             // with Snapshot: the log is worthless and starts anew after it
	Compact   uint64           // entries up to this index may go, once the snapshot is safe
	Sync      bool             // completion must wait until the data is durable
}

// Replica is one node of the store as a state machine: inputs are the methods Tick, Receive, Request
// and Written, outputs are the Effects that Flush returns. It starts no goroutine, reads no clock, draws
// no random number and does no I/O, so that the same inputs give the same effects. (One exception is
// raft's: it draws election timeouts from crypto/rand.Reader. Who wants them repeatable replaces that
// variable before.) A Replica is not safe for concurrent use.
type Replica struct {
	set     Settings
	node    *raft.RawNode
	storage *raft.MemoryStorage
	state   *state
	conf    raftpb.ConfState
	now     Moment

	role      raft.StateType
	leader    uint64
	term      uint64
	lastIndex uint64 // of the log, as far as Ready has told

	out         Effects
	writeSeq    uint64
	writing     []pendingWrite // in order; the first completes first
	snapping    bool           // a snapshot of our own is on its way to the disk
	confChanged bool           // since the last snapshot

	requests  requests
	reads     reads
	leases    leases
	snapSends map[uint64]int // ticks since a snapshot was sent to that node
	spec      speculation    // dirty-read only
	wallLease wallLease      // lease-clock only
	quiet     int            // lease-clock only: ticks since the leader was heard of
}

type pendingWrite struct {
	write     Write
	responses []raftpb.Message
}

// NewReplica restores a replica from what its disk holds.
func NewReplica(set Settings, saved Saved, now Moment) (*Replica, error) {
	r := &Replica{set: set.withDefaults(), storage: raft.NewMemoryStorage(), now: now, snapSends: map[uint64]int{}}
	r.state = newState(r.set.Bug, r.set.MaxSessions)
	r.requests, r.reads, r.leases = newRequests(), newReads(), leases{}
	if raft.IsEmptySnap(saved.Snapshot) && !set.Join {
		saved = r.found(saved)
	}
	if err := r.restore(saved); err != nil {
		return nil, fmt.Errorf("restore %d: %w", set.ID, err)
	}
	node, err := raft.NewRawNode(&raft.Config{
		ID: r.set.ID, ElectionTick: r.set.ElectionTicks, HeartbeatTick: r.set.HeartbeatTicks,
		Storage: r.storage, Applied: r.state.applied, AsyncStorageWrites: true,
		MaxSizePerMsg: 1 << 20, MaxCommittedSizePerReady: 4 << 20, MaxInflightMsgs: 256, MaxUncommittedEntriesSize: 64 << 20,
		PreVote: true, CheckQuorum: r.set.Bug != BugLeaseClock && r.set.Bug != BugDirtyRead, ReadOnlyOption: raft.ReadOnlySafe,
		StepDownOnRemoval: true, Logger: r.set.Log,
	})
	if err != nil {
		return nil, fmt.Errorf("start raft on %d: %w", set.ID, err)
	}
	r.node = node
	r.term = node.BasicStatus().Term
	return r, nil
}

// found makes the disk of a founding member: a snapshot at index 1 that holds the first membership, the
// same on all of them, as if they had agreed on it.
func (r *Replica) found(saved Saved) Saved {
	for _, m := range r.set.Members {
		r.state.Members[m.ID] = m
	}
	saved.Snapshot = raftpb.Snapshot{Data: r.state.encode(), Metadata: raftpb.SnapshotMetadata{
		Index: 1, Term: 1, ConfState: raftpb.ConfState{Voters: memberIDs(r.set.Members)},
	}}
	return saved
}

func (r *Replica) restore(saved Saved) error {
	if !raft.IsEmptySnap(saved.Snapshot) {
		if err := r.storage.ApplySnapshot(saved.Snapshot); err != nil {
			return err
		}
		if err := r.install(saved.Snapshot); err != nil {
			return err
		}
	}
	for len(saved.Entries) > 0 && saved.Entries[0].Index <= r.state.applied {
		saved.Entries = saved.Entries[1:]
	}
	if len(saved.Entries) > 0 && saved.Entries[0].Index != r.state.applied+1 {
		return fmt.Errorf("the log begins at %d, the snapshot ends at %d", saved.Entries[0].Index, r.state.applied)
	}
	if err := r.storage.Append(saved.Entries); err != nil {
		return err
	}
	last, err := r.storage.LastIndex()
	if err != nil {
		return err
	}
	r.lastIndex = last
	return r.storage.SetHardState(r.atLeast(saved.HardState, saved.Entries))
}

// atLeast completes a hard state by what the rest of the disk proves. It is all that a node has which
// has the planted bug forgotten-vote: it takes the term before its last entry's, and stands for election
// in a term in which it may have voted already.
func (r *Replica) atLeast(hard raftpb.HardState, entries []raftpb.Entry) raftpb.HardState {
	if n := len(entries); n > 0 && r.set.Bug == BugForgottenVote {
		hard.Term = entries[n-1].Term - 1
	}
	if r.state.applied > 0 {
		hard.Term = max(hard.Term, 1)
		hard.Commit = max(hard.Commit, r.state.applied)
	}
	return hard
}

// install replaces the state by a snapshot's.
func (r *Replica) install(snap raftpb.Snapshot) error {
	s, err := decodeState(snap.Data, r.set.Bug, r.set.MaxSessions)
	if err != nil {
		return fmt.Errorf("snapshot at %d: %w", snap.Metadata.Index, err)
	}
	s.applied, s.term = snap.Metadata.Index, snap.Metadata.Term
	r.state, r.conf = s, snap.Metadata.ConfState
	r.lastIndex = max(r.lastIndex, s.applied)
	maps.DeleteFunc(r.requests.places, func(index uint64, _ []place) bool { return index <= s.applied })
	r.out.Members = r.Members()
	return nil
}

// Tick lets one tick of raft's clock pass.
func (r *Replica) Tick(now Moment) {
	r.now = now
	r.quiet++
	r.node.Tick()
	r.tickSnapshots()
	r.tickLeases()
	r.tickRequests()
	r.tickReads()
}

// Receive takes a message from another node.
func (r *Replica) Receive(m raftpb.Message, now Moment) {
	r.now = now
	if !r.admit(&m) {
		return
	}
	// An error means that the message was of no use: a response from a stranger, a forwarded proposal
	// when we do not lead. The sender finds out by its own timers.
	_ = r.node.Step(m)
}

// Unreachable says that messages to a node are probably being lost.
func (r *Replica) Unreachable(id uint64) { r.node.ReportUnreachable(id) }

// Flush returns what there is to do because of all the inputs since the last Flush. Giving it many
// inputs at once makes for large batches: one proposal, one write, one sync.
func (r *Replica) Flush() Effects {
	r.drain()
	r.proposeWaiting()
	r.askWaiting()
	r.drain()
	out := r.out
	r.out = Effects{}
	return out
}

// Members returns the membership as of the last applied entry, in order of IDs.
func (r *Replica) Members() []Member {
	members := make([]Member, 0, len(r.state.Members))
	for _, id := range sortedKeys(r.state.Members) {
		members = append(members, r.state.Members[id])
	}
	return members
}

// Status is a replica's own view of itself.
type Status struct {
	ID      uint64   `json:"id"`
	Role    string   `json:"role"` // follower, candidate, leader
	Term    uint64   `json:"term"`
	Leader  uint64   `json:"leader"` // 0: none known
	Commit  uint64   `json:"commit"`
	Applied uint64   `json:"applied"`
	Members []Member `json:"members"`
}

// Status tells how the replica sees itself.
func (r *Replica) Status() Status {
	basic := r.node.BasicStatus()
	role := map[raft.StateType]string{raft.StateFollower: "follower", raft.StateLeader: "leader"}[basic.RaftState]
	if role == "" {
		role = "candidate"
	}
	return Status{
		ID: r.set.ID, Role: role, Term: basic.Term, Leader: basic.Lead,
		Commit: basic.Commit, Applied: r.state.applied, Members: r.Members(),
	}
}
