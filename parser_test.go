package fallacy_test

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/fallacy-dev/fallacy"
)

// Lists that were read of one key are kept once, as long as they agree.
func TestParserShares(t *testing.T) {
	var p fallacy.Parser
	var first []fallacy.Value
	for i, c := range []struct {
		read   string
		shared bool
	}{
		{`["r","x",[1,2,3]]`, true}, {`["r","x",[1]]`, true}, {`["r","x",[1,2]]`, true}, {`["r","x",[1,2,3]]`, true},
		{`["r",1,[1]]`, false}, {`["r","x",[1,3]]`, false}, {`["r","x",[2]]`, false}, {`["r","y",["a"]]`, false},
	} {
		op, err := p.Op(fmt.Appendf(nil, `{"process":0,"type":"ok","f":"txn","value":[%s]}`, c.read))
		if err != nil {
			t.Fatal(err)
		}
		if got := op.Value.String(); got != "["+c.read+"]" {
			t.Errorf("%s was read as %s", c.read, got)
		}
		ops, _ := op.Value.Txn()
		list, _ := ops[0].Value.List()
		if i == 0 {
			first = list
		}
		if shared := unsafe.SliceData(list) == unsafe.SliceData(first); shared != c.shared {
			t.Errorf("%s shares the first list's memory: %v, want %v", c.read, shared, c.shared)
		}
	}
}

// What was handed out must not change when lists that share its memory grow.
func TestParserKeepsWhatItGave(t *testing.T) {
	var p fallacy.Parser
	var ops []fallacy.Op
	var want []string
	for n := range 200 {
		line := fmt.Sprintf(`{"process":0,"type":"ok","f":"txn","value":[["r","x",%v],["append",%d,"s%d"]]}`, fallacy.Ints(upTo(n)...), n, n)
		op, err := p.Op([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		ops, want = append(ops, op), append(want, fmt.Sprintf(`[["r","x",%v],["append",%d,"s%d"]]`, fallacy.Ints(upTo(n)...), n, n))
	}
	for i, op := range ops {
		if got := op.Value.String(); got != want[i] {
			t.Fatalf("op %d became %s, was %s", i, got, want[i])
		}
	}
}

func upTo(n int) []int {
	ns := make([]int, n)
	for i := range ns {
		ns[i] = i
	}
	return ns
}
