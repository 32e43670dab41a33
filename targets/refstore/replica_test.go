package refstore

import (
	"fmt"
	"testing"
	"time"
)

// answer is what became of a request in a simulation.
type answer struct {
	reply Reply
	came  bool
}

func (s *simulation) later(n *simNode, q Request) *answer {
	a := new(answer)
	s.ask(n, q, func(r Reply, ok bool) { *a = answer{r, ok} })
	return a
}

// calm is a cluster of three that has a leader.
func calm(t *testing.T, bug string) (s *simulation, leader *simNode) {
	t.Helper()
	s = newSimulation(t, 11, 3, bug)
	s.run(time.Second)
	if leader = s.leader(); leader == nil {
		t.Fatal("no leader after a second")
	}
	return s, leader
}

func (s *simulation) other(n *simNode) *simNode {
	for _, m := range s.nodes {
		if m != n {
			return m
		}
	}
	return nil
}

// wantCount reads the counter at every node.
func (s *simulation) wantCount(t *testing.T, want int) {
	t.Helper()
	for _, n := range s.nodes {
		a := s.later(n, Request{Op: OpCount})
		s.run(s.now + time.Second)
		if got, _ := a.reply.Result.Value.Int(); !a.came || a.reply.Code != Done || got != want {
			t.Errorf("count at node %d: got %+v, want %d", n.id, *a, want)
		}
	}
}

func TestFailOverTakesLessThanASecond(t *testing.T) {
	s, leader := calm(t, "")
	s.kill(leader)
	s.run(s.now + 900*time.Millisecond)
	if next := s.leader(); next == nil {
		t.Error("no leader 900 ms after the old one's death")
	}
}

// TestOverwrittenProposalIsTriedAgain puts an entry without a name into an isolated leader's log. Once it
// has been overwritten it provably did not happen, so that it may be proposed again.
func TestOverwrittenProposalIsTriedAgain(t *testing.T) {
	s, leader := calm(t, "")
	s.isolate(leader)
	a := s.later(leader, Request{Op: OpIncrement, Value: 1})
	s.run(s.now + 300*time.Millisecond)
	b := s.later(s.other(leader), Request{Client: "b", Seq: 1, Op: OpIncrement, Value: 10})
	s.run(s.now + 700*time.Millisecond)
	s.reconnect()
	s.run(s.now + 900*time.Millisecond)
	for _, got := range []*answer{a, b} {
		if !got.came || got.reply.Code != Done {
			t.Errorf("got %+v, want it done", *got)
		}
	}
	s.wantCount(t, 11)
}

func TestNobodyKnowsWhatAnIsolatedLeaderProposed(t *testing.T) {
	s, leader := calm(t, "")
	s.isolate(leader)
	a := s.later(leader, Request{Client: "a", Seq: 1, Op: OpIncrement, Value: 1})
	s.run(s.now + 2500*time.Millisecond)
	if !a.came || a.reply.Code != Unknown {
		t.Errorf("proposed by an isolated leader: got %+v, want code %d", *a, Unknown)
	}
	for _, q := range []Request{{Op: OpIncrement, Value: 1}, {Op: OpCount}} {
		b := s.later(leader, q)
		s.run(s.now + time.Second)
		if !b.came || b.reply.Code != Unavailable {
			t.Errorf("%s without a leader: got %+v, want code %d", q.Op, *b, Unavailable)
		}
	}
	s.reconnect()
	s.run(s.now + time.Second)
	s.wantCount(t, 0)
}

func TestForwardedRequestIsAppliedOnceWhateverIsLost(t *testing.T) {
	s, leader := calm(t, "")
	follower := s.other(leader)
	s.cut[[2]uint64{leader.id, follower.id}] = true // it hears us, we do not hear it
	a := s.later(follower, Request{Client: "a", Seq: 1, Op: OpIncrement, Value: 1})
	s.run(s.now + 150*time.Millisecond)
	s.reconnect()
	s.run(s.now + 2*time.Second)
	if !a.came || a.reply.Code != Done {
		t.Errorf("got %+v, want it done", *a)
	}
	s.wantCount(t, 1)
}

func TestLaggingNodeIsGivenASnapshot(t *testing.T) {
	s, leader := calm(t, "")
	lagging := s.other(leader)
	s.kill(lagging)
	for i := range 1500 { // SnapshotEvery is 300, and 500 entries are kept
		s.later(leader, Request{Client: fmt.Sprintf("c%d", i%50), Seq: uint64(i + 1), Op: OpIncrement, Value: 1})
		s.run(s.now + 2*time.Millisecond)
	}
	s.restart(lagging)
	s.run(s.now + 3*time.Second)
	if got := lagging.durable.snapshot.Metadata.Index; got < 300 {
		t.Errorf("the lagging node's snapshot is at %d, want one from the leader", got)
	}
	s.wantCount(t, 1500)
}

func TestLeasesRunOutAndTokensGrow(t *testing.T) {
	s, leader := calm(t, "")
	acquire := func(owner string) *answer {
		return s.later(s.other(leader), Request{Op: OpAcquire, Owner: owner, TTL: 400})
	}
	a := acquire("a")
	s.run(s.now + 100*time.Millisecond)
	b := acquire("b")
	s.run(s.now + 100*time.Millisecond)
	s.kill(leader) // the next leader gives the lease its whole time again
	leader = s.other(leader)
	s.run(s.now + 1500*time.Millisecond)
	c := acquire("c")
	s.run(s.now + 100*time.Millisecond)
	if a.reply.Code != Done || b.reply.Code != Refused || c.reply.Code != Done {
		t.Errorf("got codes %d, %d, %d, want %d, %d, %d", a.reply.Code, b.reply.Code, c.reply.Code, Done, Refused, Done)
	}
	if a.reply.Result.Token != 1 || c.reply.Result.Token != 2 {
		t.Errorf("got tokens %d and %d, want 1 and 2", a.reply.Result.Token, c.reply.Result.Token)
	}
}

func TestEveryBugSaysWhatExposesIt(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range Bugs {
		if seen[b.Name] || b.Doc == "" || b.Workload == "" || len(b.Anomalies) == 0 {
			t.Errorf("bug %+v: want a name of its own, a doc, a workload and an anomaly", b)
		}
		seen[b.Name] = true
	}
	if len(Bugs) != 11 {
		t.Errorf("%d bugs, want 11", len(Bugs))
	}
	if isBug("no-such-bug") {
		t.Error("no-such-bug is taken for a bug")
	}
}
