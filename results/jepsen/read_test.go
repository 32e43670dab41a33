package jepsen_test

import (
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy/results/jepsen"
)

func TestRead(t *testing.T) {
	const lines = `; recorded by a machine
{:type :invoke, :f :txn, :value [[:append 1 2] [:r :x nil]], :process 3, :time 1200, :index 0}
#jepsen.history.Op{:index 1, :time 2500, :type :ok, :process 3, :f :txn, :value [[:append 1 2] [:r :x [4 7]]]}

{:type :info, :f :start-partition, :value {"n1" #{"n3" "n2"}}, :process :nemesis, :time 2600, :ext {:a 1.5}, :b :c}
{:type :fail, :f :cas, :value [7 [4 5]], :process 3, :time 2700, :error [:timeout "no"]}
{:type :ok :f :read :value #{3 20 1} :process 4}
`
	want := []string{
		`{"index":0,"time":1200,"process":3,"type":"invoke","f":"txn","value":[["append",1,2],["r","x",null]]}`,
		`{"index":1,"time":2500,"process":3,"type":"ok","f":"txn","value":[["append",1,2],["r","x",[4,7]]]}`,
		`{"index":2,"time":2600,"process":"nemesis","type":"info","f":"start-partition","value":{"n1":["n2","n3"]},"b":"c"}`,
		`{"index":3,"time":2700,"process":3,"type":"fail","f":"cas","value":[7,[4,5]],"error":"[\"timeout\",\"no\"]"}`,
		`{"index":4,"time":0,"process":4,"type":"ok","f":"read","value":[1,3,20]}`,
	}
	var vector strings.Builder
	vector.WriteString("[")
	for line := range strings.Lines(lines) {
		if !strings.HasPrefix(line, ";") {
			vector.WriteString(line)
		}
	}
	vector.WriteString("]")
	for name, text := range map[string]string{"lines": lines, "vector": vector.String()} {
		if !jepsen.Sniff([]byte(text)) {
			t.Errorf("%s is not taken for EDN", name)
		}
		h, err := jepsen.Read(strings.NewReader(text))
		if err != nil || len(h) != len(want) {
			t.Fatalf("%s: got %d ops, %v", name, len(h), err)
		}
		for i, op := range h {
			if got := string(op.AppendJSON(nil)); got != want[i] {
				t.Errorf("%s:\n got %s\nwant %s", name, got, want[i])
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"{:type :ok :process 1}\n{:type :ok":         "line 2: ",
		"{:type :okay :process 1}":                   `line 1: :type: type is "okay"`,
		"{:process 1}":                               "an op has no :type",
		"{:type :ok}":                                "an op has no :process",
		"{:type :ok :process -3}":                    ":process: -3 is no process",
		"{:type :ok :process 1 :value 1.5}":          ":value: 1.5 is not a whole number",
		"{:type :ok :process 1 :value [1 \"a\"]} 17": "line 1",
		"[{:type :ok :process 1} 5]":                 "op 1: found int64",
		"[{:type :ok":                                "read the vector of ops",
		"{\"type\" 5}":                               "no keyword",
	} {
		if h, err := jepsen.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v, want %s", text, h, err, want)
		}
	}
}

func TestSniff(t *testing.T) {
	for text, want := range map[string]bool{`{"process":1}`: false, ` { :type`: true, "[": true, "#jepsen": true, "": false, "{": false} {
		if got := jepsen.Sniff([]byte(text)); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("{:type :ok, :process 1, :f :read, :value #{1 [2 {:a nil}]}}\n[1 2]")
	f.Add("[#a.b{:type :invoke :process :nemesis}]")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := jepsen.Read(strings.NewReader(text))
		if err == nil {
			for _, op := range h {
				_ = op.AppendJSON(nil)
			}
		}
	})
}
