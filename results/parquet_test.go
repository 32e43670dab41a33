package results

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fallacy-dev/fallacy"
)

func TestExportParquet(t *testing.T) {
	for name, h := range exportHistories() {
		text := []byte(exported(t, "parquet", Run{}, h))
		rows, err := parquet.Read[parquetOp](bytes.NewReader(text), int64(len(text)))
		must(t, err)
		if len(rows) != len(h) {
			t.Fatalf("%s: %d rows for %d ops", name, len(rows), len(h))
		}
		for i, op := range h {
			r := rows[i]
			if r.Index != int64(op.Index) || r.Time != int64(op.Time) || r.Type != op.Type.String() || r.F != op.F {
				t.Errorf("%s: op %d comes back as %+v", name, i, r)
			}
			if (r.Value == nil) != op.Value.IsNil() {
				t.Errorf("%s: op %d has the value %v", name, i, r.Value)
			} else if r.Value != nil {
				if v, err := fallacy.ParseValue([]byte(*r.Value)); err != nil || !v.Equal(op.Value) {
					t.Errorf("%s: op %d has the value %s, %v", name, i, *r.Value, err)
				}
			}
		}
	}
	text := []byte(exported(t, "parquet", Run{}, storyHistory()))
	rows, err := parquet.Read[parquetOp](bytes.NewReader(text), int64(len(text)))
	must(t, err)
	if r := rows[9]; r.Key == nil || *r.Key != "x" || r.Int == nil || *r.Int != 34 || *r.Node != "n1" {
		t.Errorf("a read of x that saw 34 is %+v", r)
	}
	if r := rows[2]; r.Nemesis == nil || *r.Nemesis != "partition:isolate" || r.Process != -1 {
		t.Errorf("a nemesis is %+v", r)
	}
}

func TestExportSARIF(t *testing.T) {
	text, err := os.ReadFile("testdata/sarif-2.1.0.json") // as OASIS publishes it
	must(t, err)
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	must(t, err)
	c := jsonschema.NewCompiler()
	must(t, c.AddResource("sarif.json", schema))
	compiled, err := c.Compile("sarif.json")
	must(t, err)
	found := storyRun()
	found.Verdict, found.Findings = fallacy.Invalid, append(generalFindings(t), storyFinding())
	unfinished := storyRun()
	unfinished.Reason = "the run did not finish"
	valid := storyRun()
	valid.Verdict = fallacy.Valid
	for name, c := range map[string]struct {
		run     Run
		results int
	}{
		"found": {found, 2}, "cycle": {cycleRun("G2-item", cycleSteps()), 1}, "unfinished": {unfinished, 1}, "valid": {valid, 0},
		"hostile": {hostileRun(), 3}, "bare": {Run{Name: "a/b"}, 1},
	} {
		out := exported(t, "sarif", c.run, nil)
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
		must(t, err)
		if err := compiled.Validate(value); err != nil {
			t.Errorf("%s: %v in\n%s", name, err, out)
		}
		var log sarifLog
		must(t, json.Unmarshal([]byte(out), &log))
		if n := len(log.Runs[0].Results); n != c.results {
			t.Errorf("%s: %d results, want %d", name, n, c.results)
		}
	}
}
