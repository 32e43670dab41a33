package txn_test

import (
	"testing"
	"unsafe"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

func TestShared(t *testing.T) {
	read := func(key fallacy.Value, ns ...int) fallacy.Value {
		return fallacy.Txn(fallacy.MicroOp{F: "r", Key: key, Value: fallacy.Ints(ns...)})
	}
	x := fallacy.String("x")
	var s txn.Shared
	var first []fallacy.Value
	for i, v := range []fallacy.Value{
		read(x, 1, 2, 3), read(x, 1), read(x, 1, 2), read(fallacy.Int(1), 1), read(x, 1, 2, 3), // share
		read(x, 1, 3), read(x, 1, 2, 3, 4), read(x, 1, 2, 3, 5), read(x), // disagree, grow, or have nothing
		fallacy.Nil(), fallacy.Ints(1, 2), fallacy.Txn(fallacy.MicroOp{F: "append", Key: x, Value: fallacy.Int(1)}),
	} {
		got := s.Value(v)
		if !got.Equal(v) {
			t.Errorf("%d: got %v, want %v", i, got, v)
		}
		ops, _ := got.Txn()
		if len(ops) == 0 || i > 4 {
			continue
		}
		list, _ := ops[0].Value.List()
		if i == 0 {
			first = list
		}
		if isX := ops[0].Key.Equal(x); isX != (unsafe.SliceData(list) == unsafe.SliceData(first)) {
			t.Errorf("%d: %v shares its memory: %v", i, got, !isX)
		}
	}
}

func TestSharedHistoryIsJudgedAlike(t *testing.T) {
	h := unshared(simulation{level: prefix, clients: 10, n: 300}.run(4))
	before, err := txn.Append().Check(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	var s txn.Shared
	for i := range h {
		h[i].Value = s.Value(h[i].Value)
	}
	after, err := txn.Append().Check(t.Context(), h)
	if err != nil || len(before.Anomalies) != len(after.Anomalies) || before.Verdict != after.Verdict {
		t.Errorf("got %v, %d anomalies, %v; want %v, %d", after.Verdict, len(after.Anomalies), err, before.Verdict, len(before.Anomalies))
	}
}
