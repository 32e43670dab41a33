package refstore

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Names of the bugs that can be planted with --bug.
const (
	BugStaleRead     = "stale-read"
	BugLostWrite     = "lost-write"
	BugNoFsync       = "no-fsync"
	BugLeaseClock    = "lease-clock"
	BugDoubleApply   = "double-apply"
	BugDirtyRead     = "dirty-read"
	BugWriteSkew     = "write-skew"
	BugTornTxn       = "torn-txn"
	BugUnfencedLock  = "unfenced-lock"
	BugLostMessage   = "lost-message"
	BugForgottenVote = "forgotten-vote"
)

// Bugs are all the bugs, each with what exposes it.
var Bugs = []fallacy.Bug{
	{
		Name:     BugStaleRead,
		Doc:      "Followers answer reads from their own state, without asking how far the others have got.",
		Workload: "register", Faults: []string{"partition"},
		Anomalies: []string{"nonlinearizable"},
	}, {
		Name:     BugLostWrite,
		Doc:      "The leader acknowledges a write when it is in its own log, before a quorum has it.",
		Workload: "register", Faults: []string{"partition:leader", "kill:leader"},
		Anomalies: []string{"nonlinearizable"},
	}, {
		Name:     BugNoFsync,
		Doc:      "The log is written from the process's memory to the disk every few seconds only, so that kill -9 loses what was acknowledged.",
		Workload: "set", Faults: []string{"kill:all"},
		Anomalies: []string{"lost"},
	}, {
		Name:     BugLeaseClock,
		Doc:      "The leader answers reads on its own under a lease that it times by the wall clock, and leads on when it has lost its quorum.",
		Workload: "register", Faults: []string{"partition:leader", "clock:freeze:leader"},
		Anomalies: []string{"nonlinearizable"},
	}, {
		Name:     BugDoubleApply,
		Doc:      "A node proposes a request again when it hears nothing of it, and nobody notices that it has been applied already.",
		Workload: "counter", Faults: []string{"partition", "pause"},
		Anomalies: []string{"out of bounds", "nonlinearizable"},
	}, {
		Name:     BugDirtyRead,
		Doc:      "The leader answers reads with what it has proposed, committed or not.",
		Workload: "register", Faults: []string{"partition:leader"},
		Anomalies: []string{"nonlinearizable"},
	}, {
		Name:     BugWriteSkew,
		Doc:      "Transactions read from a snapshot, and only two writes to the same key count as a conflict: snapshot isolation passed off as serializability.",
		Workload: "append", Faults: nil,
		Anomalies: []string{"G2-item", "G2-item-realtime"},
	}, {
		Name:     BugTornTxn,
		Doc:      "A transaction's micro-ops are carried out one by one, and others see it half done.",
		Workload: "append", Faults: nil,
		Anomalies: []string{"G-single", "G1b", "internal", "G2-item", "G0", "G1c", "G-single-realtime", "G-single-item", "G-single-item-realtime", "G-nonadjacent-item"},
	}, {
		Name:     BugUnfencedLock,
		Doc:      "A guarded write is accepted whatever its token, also when the lock has been granted to somebody else since.",
		Workload: "lock", Faults: []string{"partition", "pause"},
		Anomalies: []string{"stale token accepted"},
	}, {
		Name:     BugLostMessage,
		Doc:      "A new leader believes that the elements at the head of a queue are with a consumer already, and drops them.",
		Workload: "queue", Faults: []string{"kill:leader"},
		Anomalies: []string{"lost"},
	}, {
		Name:     BugForgottenVote,
		Doc:      "Term and vote are not on disk, so that a restarted node votes twice in a term: two leaders write entries with the same number, and logs differ for good.",
		Workload: "set", Faults: []string{"kill:all"},
		Anomalies: []string{"lost", "stale", "nonlinearizable"},
	},
}

func isBug(name string) bool {
	return slices.ContainsFunc(Bugs, func(b fallacy.Bug) bool { return b.Name == name })
}
