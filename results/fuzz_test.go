package results

import (
	"bytes"
	"testing"
)

// FuzzReadHistory reads histories of any origin: what was read and is written
// again reads the same.
func FuzzReadHistory(f *testing.F) {
	for _, seed := range []string{
		`[{"type": "invoke", "f": "txn", "value": [["append", 1, 2], ["r", "x", null]], "process": 3}, {"type": ":ok", "f": ":txn", "value": [["append", 1, 2], ["r", "x", [4, 7]]], "process": 3}]`,
		`{"process":3,"type":"invoke","f":"write","value":["k",5]}` + "\n" + `{"process":3,"type":"ok","f":"write","value":["k",5],"extra":{"a":1}}`,
		`{:type :invoke, :f :read, :process 0, :value nil} {:type :ok, :f :read, :process 0, :value 5}`,
		`[{:type :invoke, :f :read, :process :nemesis, :value [1 [2 3]]}]`,
		"(\xb5/\xfd\x04\x00", "[", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, damage, err := ReadHistory(bytes.NewReader(data))
		if err != nil || damage != nil {
			return
		}
		var text []byte
		for _, op := range h {
			text = append(op.AppendJSON(text), '\n')
		}
		again, damage, err := ReadHistory(bytes.NewReader(text))
		if err != nil || damage != nil || len(again) != len(h) {
			if len(h) == 0 {
				return
			}
			t.Fatalf("read %d ops, and again %d: %v, %v\n%s", len(h), len(again), damage, err, text)
		}
		for i := range h {
			if was, is := h[i].AppendJSON(nil), again[i].AppendJSON(nil); !bytes.Equal(was, is) {
				t.Errorf("op %d\nwas %s\nis  %s", i, was, is)
			}
		}
	})
}
