package refstore

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// script applies commands at indices 1, 2, 3… and returns the results.
func script(s *state, commands ...command) []Result {
	var results []Result
	for i := range commands {
		index := s.applied + 1
		r, _ := s.apply(&commands[i], index)
		s.applied = index
		results = append(results, r)
	}
	return results
}

func named(client string, seq uint64, q Request) command {
	q.Client, q.Seq = client, seq
	return command{Request: q}
}

func TestRetryTakesEffectOnce(t *testing.T) {
	s := newState("", 10)
	increment := named("a", 1, Request{Op: OpIncrement, Value: 5})
	dequeue := named("a", 4, Request{Op: OpDequeue})
	got := script(s, increment, increment,
		named("a", 2, Request{Op: OpEnqueue, Value: 7}), named("a", 3, Request{Op: OpEnqueue, Value: 8}),
		dequeue, dequeue, increment)
	if n := s.Counters[""]; n != 5 {
		t.Errorf("counter is %d, want 5", n)
	}
	if first, second := got[4].Value, got[5].Value; !first.Equal(Int(7)) || !second.Equal(Int(7)) {
		t.Errorf("dequeue and its retry got %v and %v, want 7 twice", first, second)
	}
	if left := s.Queues[""]; len(left) != 1 || left[0] != 8 {
		t.Errorf("queue is %v, want [8]", left)
	}
}

func TestDoubleApplyAppliesRetries(t *testing.T) {
	s := newState(BugDoubleApply, 10)
	increment := named("a", 1, Request{Op: OpIncrement, Value: 5})
	script(s, increment, increment)
	if n := s.Counters[""]; n != 10 {
		t.Errorf("counter is %d, want 10", n)
	}
}

func TestForgottenClientIsNotMistakenForNew(t *testing.T) {
	s := newState("", 2)
	first := named("a", 1, Request{Op: OpIncrement, Value: 1})
	script(s, first,
		named("b", 1, Request{Op: OpIncrement, Value: 1}), named("c", 1, Request{Op: OpIncrement, Value: 1}))
	if _, known := s.apply(&first, 4); known {
		t.Error("a retry after the session was forgotten was taken for known")
	}
	later := named("d", 1, Request{Op: OpIncrement, Value: 1})
	later.Born = 3
	if _, known := s.apply(&later, 5); !known {
		t.Error("a new client was taken for a forgotten one")
	}
	if n := s.Counters[""]; n != 4 {
		t.Errorf("counter is %d, want 4", n)
	}
}

func TestTokensOnlyGrowAndFence(t *testing.T) {
	s := newState("", 10)
	got := script(s,
		command{Request: Request{Op: OpAcquire, Owner: "a", TTL: 100}},
		command{Request: Request{Op: OpAcquire, Owner: "b", TTL: 100}},
		command{Request: Request{Op: OpGuard, Token: 1, Value: 10}},
		command{Request: Request{Op: opExpire, Token: 1}},
		command{Request: Request{Op: OpGuard, Token: 1, Value: 11}}, // run out, but nobody else has it
		command{Request: Request{Op: OpAcquire, Owner: "b", TTL: 100}},
		command{Request: Request{Op: opExpire, Token: 1}}, // late: another lease is running
		command{Request: Request{Op: OpGuard, Token: 1, Value: 12}},
		command{Request: Request{Op: OpRelease, Owner: "a", Token: 1}},
		command{Request: Request{Op: OpGuard, Token: 2, Value: 13}},
		command{Request: Request{Op: OpRelease, Owner: "b", Token: 2}},
	)
	want := []bool{true, false, true, true, true, true, true, false, false, true, true}
	for i, r := range got {
		if done := r.Refused == ""; done != want[i] {
			t.Errorf("step %d: done %v, want %v (%s)", i, done, want[i], r.Refused)
		}
	}
	if got[0].Token != 1 || got[5].Token != 2 {
		t.Errorf("tokens %d and %d, want 1 and 2", got[0].Token, got[5].Token)
	}
	if l := s.Locks[""]; !l.Value.Equal(Int(13)) || l.Held {
		t.Errorf("lock is %+v, want value 13 and free", l)
	}
}

func TestUnfencedLockAcceptsStaleToken(t *testing.T) {
	s := newState(BugUnfencedLock, 10)
	got := script(s,
		command{Request: Request{Op: OpAcquire, Owner: "a", TTL: 100}}, command{Request: Request{Op: opExpire, Token: 1}},
		command{Request: Request{Op: OpAcquire, Owner: "b", TTL: 100}}, command{Request: Request{Op: OpGuard, Token: 1, Value: 9}})
	if got[3].Refused != "" {
		t.Errorf("guard with a stale token was refused: %s", got[3].Refused)
	}
}

func TestTransactionIsAllOrNothing(t *testing.T) {
	s := newState("", 10)
	got := script(s,
		command{Request: Request{Op: OpTxn, Ops: []MicroOp{{"append", "x", Int(1)}, {"r", "x", Datum{}}, {"append", "x", Int(2)}, {"r", "x", Datum{}}, {"w", "y", Int(3)}}}},
		command{Request: Request{Op: OpTxn, Ops: []MicroOp{{"append", "x", Int(4)}, {"append", "y", Int(5)}}}}, // y is a register
		command{Request: Request{Op: OpTxn, Ops: []MicroOp{{"append", "x", Int(6)}, {"r", "y", Datum{}}}}},
	)
	if first, last := got[0].Ops[1].Value, got[0].Ops[3].Value; !first.Equal(List([]int{1})) || !last.Equal(List([]int{1, 2})) {
		t.Errorf("reads inside saw %v and %v, want [1] and [1 2]", first, last)
	}
	if got[1].Refused == "" {
		t.Error("append to a register was not refused")
	}
	if x := s.Data["x"]; !x.Equal(List([]int{1, 2, 6})) {
		t.Errorf("x is %v, want [1 2 6]", x)
	}
	if y := got[2].Ops[1].Value; !y.Equal(Int(3)) {
		t.Errorf("y is %v, want 3", y)
	}
}

func TestWriteSkewLetsDisjointWritesPass(t *testing.T) {
	s := newState(BugWriteSkew, 10)
	s.applied = 4
	got := script(s,
		command{Snapshot: 4, Request: Request{Op: OpTxn, Ops: []MicroOp{{"r", "x", Datum{}}, {"w", "y", Int(1)}}}},
		command{Snapshot: 4, Request: Request{Op: OpTxn, Ops: []MicroOp{{"r", "y", Datum{}}, {"w", "x", Int(2)}}}},
		command{Snapshot: 4, Request: Request{Op: OpTxn, Ops: []MicroOp{{"w", "x", Int(3)}}}},
	)
	if got[0].Refused != "" || got[1].Refused != "" {
		t.Errorf("disjoint writes were refused: %+v", got)
	}
	if got[2].Refused == "" {
		t.Error("two writes to the same key since the snapshot both passed")
	}
}

// drawCommand draws something that changes the state, over few names, so that commands meet.
func drawCommand(t *rapid.T) command {
	small := rapid.IntRange(1, 4)
	q := Request{
		Client: fmt.Sprintf("c%d", small.Draw(t, "client")), Seq: uint64(rapid.IntRange(1, 6).Draw(t, "seq")),
		Key: fmt.Sprintf("k%d", small.Draw(t, "key")), Value: small.Draw(t, "value"), From: small.Draw(t, "from"),
		Owner: "o", Token: small.Draw(t, "token"), TTL: 5,
	}
	ops := []string{OpWrite, OpCAS, OpTxn, OpAdd, OpIncrement, OpEnqueue, OpDequeue, OpAcquire, OpRelease, OpGuard, opExpire}
	if q.Op = rapid.SampledFrom(ops).Draw(t, "op"); q.Op == OpTxn {
		for range small.Draw(t, "micro-ops") {
			f := rapid.SampledFrom([]string{"r", "w", "append"}).Draw(t, "f")
			q.Ops = append(q.Ops, MicroOp{f, fmt.Sprintf("k%d", small.Draw(t, "key")), Int(small.Draw(t, "value"))})
		}
	}
	return command{Request: q, Born: uint64(rapid.IntRange(0, 20).Draw(t, "born"))}
}

// TestSnapshotChangesNothing restores one of two states from its snapshot now and then: they must give
// the same answers and the same bytes, or replicas would drift apart.
func TestSnapshotChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := newState("", 3), newState("", 3)
		for index := range uint64(30) {
			c := drawCommand(rt)
			wantResult, wantKnown := a.apply(&c, index+1)
			gotResult, gotKnown := b.apply(&c, index+1)
			if diff := cmp.Diff(wantResult, gotResult); diff != "" || wantKnown != gotKnown {
				rt.Fatalf("answers differ: known %v and %v\n%s", wantKnown, gotKnown, diff)
			}
			if rapid.Bool().Draw(rt, "snapshot") {
				restored, err := decodeState(b.encode(), "", 3)
				if err != nil {
					rt.Fatal(err)
				}
				b = restored
			}
			if want, got := string(a.encode()), string(b.encode()); want != got {
				rt.Fatalf("states differ:\n%s\n%s", want, got)
			}
		}
	})
}

func TestCommandSurvivesTheLog(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := drawCommand(rt)
		got, err := decodeCommand(want.encode())
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}
