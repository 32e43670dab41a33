package fallacy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

func TestOpJSON(t *testing.T) {
	for _, line := range []string{
		`{"index":0,"time":1200,"process":3,"type":"invoke","f":"txn","value":[["append","x",1],["r","y",null]]}`,
		`{"index":1,"time":9100,"process":3,"type":"ok","f":"txn","value":[["append","x",1],["r","y",[4,7]]],"node":"n1"}`,
		`{"index":2,"time":9300,"process":"nemesis/partition","type":"info","f":"inject","value":{"damage":{"n1":["n2"]}},"error":"not verified"}`,
		`{"index":3,"time":9300,"process":"nemesis","type":"info","f":"start","value":null,"ext":{"a":[1.5,"x"]},"b":null}`,
	} {
		op, err := fallacy.ParseOp([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got := string(op.AppendJSON(nil)); got != line {
			t.Errorf("read and written:\n got %s\nwant %s", got, line)
		}
	}
}

func TestParseOpIsLenient(t *testing.T) {
	op, err := fallacy.ParseOp([]byte(` { "type" : "ok" , "process" : 3 , "f":"read", "error": ["a", 1] } `))
	if err != nil {
		t.Fatal(err)
	}
	want := fallacy.Op{Index: -1, Process: 3, Type: fallacy.OK, F: "read", Error: `["a",1]`}
	if op.String() != want.String() || op.Index != -1 || op.Time != 0 {
		t.Errorf("got %v, want %v", op, want)
	}
}

func TestParseOpRefuses(t *testing.T) {
	for in, want := range map[string]string{
		`{"type":"ok"}`:                       `an op has no "process" field`,
		`{"process":1}`:                       `an op has no "type" field`,
		`{"process":-4,"type":"ok"}`:          `process is -4, want`,
		`{"process":"bob","type":"ok"}`:       `process is "bob", want`,
		`{"process":1,"type":"okay"}`:         `type is "okay", want "invoke", "ok", "fail" or "info"`,
		`{"process":1,"type":"ok"`:            `the line ends where`,
		`[1]`:                                 `found '[' where '{' is expected`,
		`{"process":1,"type":"ok","time":""}`: `found '"' where a number for time is expected`,
	} {
		if _, err := fallacy.ParseOp([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %s", in, err, want)
		}
	}
}

func FuzzParseOp(f *testing.F) {
	f.Add([]byte(`{"index":1,"time":9100,"process":3,"type":"ok","f":"txn","value":[["append","x",1],["r","y",[4,7]]],"x":1.5}`))
	f.Add([]byte(`{"process":3,"type":"ok","value":[["r","y",[4]],["r","y",[4,7]],[["r",1,2],3],["r",1,["r",1,[1,2]]]]}`))
	var many fallacy.Parser // shares memory among all that it has read
	f.Fuzz(func(t *testing.T, line []byte) {
		op, err := fallacy.ParseOp(line)
		shared, sharedErr := many.Op(line)
		if (err == nil) != (sharedErr == nil) || err == nil && string(op.AppendJSON(nil)) != string(shared.AppendJSON(nil)) {
			t.Fatalf("%s alone is %v (%v), among others %v (%v)", line, op, err, shared, sharedErr)
		}
		if err != nil {
			return
		}
		once := op.AppendJSON(nil)
		again, err := many.Op(once)
		if err != nil {
			t.Fatalf("%s was written as %s, which does not read: %v", line, once, err)
		}
		if twice := again.AppendJSON(nil); string(twice) != string(once) {
			t.Fatalf("written once as %s and then as %s", once, twice)
		}
	})
}

func call(process int, typ fallacy.Type, f string) fallacy.Op {
	return fallacy.Op{Process: process, Type: typ, F: f}
}

func history(ops ...fallacy.Op) fallacy.History {
	for i := range ops {
		ops[i].Index = i
		ops[i].Time = time.Duration(i)
	}
	return ops
}

func TestHistoryCalls(t *testing.T) {
	h := history(
		call(0, fallacy.Invoke, "read"), call(1, fallacy.Invoke, "write"), call(0, fallacy.OK, "read"),
		fallacy.Op{Process: fallacy.NemesisProcess, Nemesis: "kill", Type: fallacy.Invoke, F: "inject"},
		fallacy.Op{Process: fallacy.NemesisProcess, Nemesis: "pause", Type: fallacy.Invoke, F: "inject"},
		fallacy.Op{Process: fallacy.NemesisProcess, Nemesis: "kill", Type: fallacy.Info, F: "inject"},
		call(1, fallacy.Info, "write"), call(3, fallacy.Invoke, "write"),
	)
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for c := range h.Calls() {
		got = append(got, c.Invoke.F+" "+c.Type().String())
	}
	if want := "read ok,write info,write info"; strings.Join(got, ",") != want {
		t.Errorf("calls: got %v, want %s", got, want)
	}
	got = nil
	for c := range h.Faults() {
		got = append(got, c.Invoke.Nemesis)
		if c.Invoke.Nemesis == "pause" && c.Complete != nil {
			t.Error("the pause was answered by the kill's completion")
		}
	}
	if want := "kill,pause"; strings.Join(got, ",") != want {
		t.Errorf("faults: got %v, want %s", got, want)
	}
}

func TestHistoryValidate(t *testing.T) {
	for want, h := range map[string]fallacy.History{
		"op 1: process 0 invokes write before": history(call(0, fallacy.Invoke, "read"), call(0, fallacy.Invoke, "write")),
		"op 0: process 4 completes read":       history(call(4, fallacy.OK, "read")),
		"op 2: process 0 acts although":        history(call(0, fallacy.Invoke, "a"), call(0, fallacy.Info, "a"), call(0, fallacy.Invoke, "a")),
	} {
		if err := h.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	u, v, i := fallacy.Unknown, fallacy.Valid, fallacy.Invalid
	for _, c := range [][3]fallacy.Verdict{{v, v, v}, {v, u, u}, {u, v, u}, {i, u, i}, {u, i, i}, {v, i, i}} {
		if got := fallacy.Worse(c[0], c[1]); got != c[2] {
			t.Errorf("worse of %v and %v: got %v, want %v", c[0], c[1], got, c[2])
		}
	}
	var zero fallacy.Finding
	if zero.Verdict != fallacy.Unknown {
		t.Error("the zero finding has passed")
	}
}

func BenchmarkOpAppendJSON(b *testing.B) {
	op := fallacy.Op{Index: 123456, Time: 98765432101, Process: 42, Type: fallacy.OK, F: "read", Value: fallacy.Tuple(fallacy.Int(17), fallacy.Int(5)), Node: "n1"}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = op.AppendJSON(buf[:0])
	}
}

func BenchmarkParseOp(b *testing.B) {
	line := []byte(`{"index":123456,"time":98765432101,"process":42,"type":"ok","f":"read","value":[17,5],"node":"n1"}`)
	b.ReportAllocs()
	var p fallacy.Parser
	for b.Loop() {
		if _, err := p.Op(line); err != nil {
			b.Fatal(err)
		}
	}
}
