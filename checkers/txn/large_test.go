package txn_test

import (
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

// ring is a history of a store with snapshot isolation that is one component: a
// hundred keys are written in turn, and each transaction also reads the keys that
// the one before it and the one after it write, which are both at work at the same
// time. So there is write skew between all neighbours, and nothing worse, which is
// the hard case for a search: every path has to be looked for in vain.
func ring(n int, registers bool) fallacy.History {
	const keys, atWork = 100, 50
	f := "append"
	if registers {
		f = "w"
	}
	lists := make([][]fallacy.Value, keys)
	var h fallacy.History
	record := func(process int, t fallacy.Type, ops []fallacy.MicroOp) {
		h = append(h, fallacy.Op{Index: len(h), Time: time.Duration(len(h)), Process: process, Type: t, F: "txn", Value: fallacy.Txn(ops...)})
	}
	ask := func(i int) []fallacy.MicroOp {
		key := func(i int) fallacy.Value { return fallacy.Int(i%keys + i/(100*keys)*keys) }
		return []fallacy.MicroOp{{F: "r", Key: key(i + keys - 1)}, {F: "r", Key: key(i + 1)}, {F: f, Key: key(i), Value: fallacy.Int(i)}}
	}
	saw := func(key fallacy.Value) fallacy.Value {
		k, _ := key.Int()
		for k >= len(lists) {
			lists = append(lists, nil)
		}
		list := lists[k]
		switch {
		case !registers:
			return fallacy.List(list...)
		case len(list) == 0:
			return fallacy.Nil()
		}
		return list[len(list)-1]
	}
	var open [][]fallacy.MicroOp
	for i := range n + atWork {
		if i < n {
			record(i%atWork, fallacy.Invoke, ask(i))
			done := ask(i)
			done[0].Value, done[1].Value = saw(done[0].Key), saw(done[1].Key)
			open = append(open, done)
		}
		if i >= atWork-1 && len(open) > 0 {
			done := open[0]
			open = open[1:]
			saw(done[2].Key)
			k, _ := done[2].Key.Int()
			lists[k] = grown(lists[k], done[2].Value)
			record((i-atWork+1)%atWork, fallacy.OK, done)
		}
	}
	return h
}

// TestLargeComponents finds write skew, and no more than that, where thousands of
// transactions depend on each other in circles.
func TestLargeComponents(t *testing.T) {
	for _, registers := range []bool{false, true} {
		h := ring(3000, registers)
		o := txn.Options{Models: []string{"snapshot-isolation"}, WFRKeys: true, LinearizableKeys: true, AdditionalGraphs: []string{"realtime"}}
		checker := txn.AppendWith(o)
		if registers {
			checker = txn.RegisterWith(o)
		}
		f, err := checker.Check(t.Context(), h)
		if err != nil || f.Verdict != fallacy.Valid {
			t.Fatal(f.Verdict, f.Reason, err, f.Anomalies)
		}
		if got := f.Details.(txn.Details).Tolerated; got["G2-item"] == 0 || len(got) != 1 {
			t.Errorf("got %v, want G2-item alone", got)
		}
	}
}
