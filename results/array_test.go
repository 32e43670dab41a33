package results

import (
	"strings"
	"testing"
)

func TestReadArray(t *testing.T) {
	const text = ` [
  {"type": "invoke", "f": "txn", "value": [["append", 1, 2], ["r", "x", null]], "process": 3, "time": 1200, "index": 0},
  {"type": ":ok", "f": ":txn", "value": [["append", 1, 2], ["r", "x", [4, 7]]], "process": 3, "time": 2500, "index": 1},
  {"type": "info", "f": "start-partition", "value": null, "process": "nemesis", "time": 2600},
  {"type": "info", "f": "read", "value": ["k", null], "process": 4, "time": 2700, "error": "timeout"}
]`
	want := []string{
		`{"index":0,"time":1200,"process":3,"type":"invoke","f":"txn","value":[["append",1,2],["r","x",null]]}`,
		`{"index":1,"time":2500,"process":3,"type":"ok","f":"txn","value":[["append",1,2],["r","x",[4,7]]]}`,
		`{"index":2,"time":2600,"process":"nemesis","type":"info","f":"start-partition","value":null}`,
		`{"index":3,"time":2700,"process":4,"type":"info","f":"read","value":["k",null],"error":"timeout"}`,
	}
	h, damage, err := ReadHistory(strings.NewReader(text))
	if err != nil || damage != nil || len(h) != len(want) {
		t.Fatalf("got %d ops, %v, %v", len(h), damage, err)
	}
	for i, op := range h {
		if got := string(op.AppendJSON(nil)); got != want[i] {
			t.Errorf("\n got %s\nwant %s", got, want[i])
		}
	}
	cut, damage, err := ReadHistory(strings.NewReader(text[:strings.Index(text, "2600")]))
	if err != nil || damage == nil || len(cut) != 2 || damage.Kept != 2 {
		t.Errorf("cut off: got %d ops, %v, %v", len(cut), damage, err)
	}
	for start, want := range map[string]bool{`[{"a`: true, ` [ { "a`: true, `[{:a`: false, `{"a`: false, "[": false, "[[1": false, "": false} {
		if isArray([]byte(start)) != want {
			t.Errorf("%q: got %v", start, !want)
		}
	}
}
