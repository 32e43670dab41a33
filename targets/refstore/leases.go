package refstore

import (
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// leases is the leader's list of locks that will run out, by its own monotonic clock. That a lease has
// run out takes effect through the log only, so a clock that runs wrong ends leases at odd times but
// never makes two nodes disagree. A new leader gives every lock its whole time again.
type leases map[string]lease

type lease struct {
	token int
	until time.Duration
}

func (r *Replica) resetLeases(leading bool) {
	r.leases = leases{}
	if !leading {
		return
	}
	for name, l := range r.state.Locks { // each on its own: the order cannot matter
		if l.Held {
			r.leases[name] = lease{l.Token, r.now.Mono + time.Duration(l.TTL)*time.Millisecond}
		}
	}
}

// noteLease starts the clock for a lock that has just been granted.
func (r *Replica) noteLease(c *command, result Result) {
	if r.role == raft.StateLeader && c.Op == OpAcquire && result.Refused == "" {
		r.leases[c.Key] = lease{result.Token, r.now.Mono + time.Duration(c.TTL)*time.Millisecond}
	}
}

func (r *Replica) tickLeases() {
	for _, name := range sortedKeys(r.leases) {
		l := r.leases[name]
		if held := r.state.Locks[name]; held == nil || !held.Held || held.Token != l.token {
			delete(r.leases, name)
			continue
		}
		if r.now.Mono < l.until {
			continue
		}
		expire := command{Request: Request{Op: opExpire, Key: name, Token: l.token}}
		entry := raftpb.Entry{Data: expire.encode()}
		// If raft refuses it now, it is proposed again below.
		_ = r.node.Step(raftpb.Message{Type: raftpb.MsgProp, From: r.set.ID, Entries: []raftpb.Entry{entry}})
		l.until = r.now.Mono + r.set.LeaderTimeout
		r.leases[name] = l
	}
}
