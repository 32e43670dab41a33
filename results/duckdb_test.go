package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/internal/require"
)

// duckdb builds examples/duckdb, which is a module of its own: nobody else is to
// pay for DuckDB. Without a C++ linker, or the module, the test is skipped.
func duckdb(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("links DuckDB, which takes half a minute at first: leave out -short")
	}
	path := filepath.Join(t.TempDir(), "duckdb")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	build.Dir, build.Env = "../examples/duckdb", append(os.Environ(), "CGO_ENABLED=1", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		require.Absent(t, "duckdb", err, "\n", string(out))
	}
	return path
}

// TestDuckDBReadsParquet lets DuckDB itself read what was exported, and holds what
// it makes of it against the history.
func TestDuckDBReadsParquet(t *testing.T) {
	program := duckdb(t)
	histories := exportHistories()
	_, run, planted := plantedRun(t, "stale-read")
	histories["planted"], histories["hostile"], histories["large"] = planted, hostileHistory(), registerHistory(300_000)
	for name, h := range histories {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "it's.parquet")
			must(t, os.WriteFile(path, []byte(exported(t, "parquet", run, h)), 0o644))
			testDuckCounts(t, program, path, h)
			testDuckJoin(t, program, path, h)
			if len(h) < 100_000 {
				testDuckRows(t, program, path, run, h)
			}
		})
	}
}

// asked returns the rows that DuckDB answers a query with.
func asked(t *testing.T, program, path, query string) []map[string]any {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, path, query)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", query, err, complaint.String())
	}
	var rows []map[string]any
	lines := json.NewDecoder(bytes.NewReader(out))
	lines.UseNumber()
	for lines.More() {
		var row map[string]any
		must(t, lines.Decode(&row))
		rows = append(rows, row)
	}
	return rows
}

func testDuckCounts(t *testing.T, program, path string, h fallacy.History) {
	t.Helper()
	got, want := make(map[string]string), make(map[string]int)
	for _, row := range asked(t, program, path, "SELECT type, f, count(*) AS n FROM history GROUP BY ALL") {
		got[fmt.Sprint(row["type"], " ", row["f"])] = fmt.Sprint(row["n"])
	}
	var last time.Duration
	for _, op := range h {
		want[op.Type.String()+" "+op.F]++
		last = max(last, op.Time)
	}
	if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); diff != "" {
		t.Errorf("ops by type and function (-history +DuckDB):\n%s", diff)
	}
	rows := asked(t, program, path, "SELECT max(time_ns) AS last, typeof(max(time_ns)) AS kind FROM history")
	if fmt.Sprint(rows[0]["last"]) != fmt.Sprint(int64(last)) || rows[0]["kind"] != "BIGINT" {
		t.Errorf("the last op is at %v, want %d ns", rows[0], last)
	}
}

// testDuckJoin joins invocations to completions.
func testDuckJoin(t *testing.T, program, path string, h fallacy.History) {
	t.Helper()
	const join = `SELECT count(*) AS n, sum(took)::VARCHAR AS took FROM (
		SELECT type AS began, lead(type) OVER p AS ended, lead(time_ns) OVER p - time_ns AS took
		FROM history WHERE nemesis IS NULL AND process >= 0 WINDOW p AS (PARTITION BY process ORDER BY index)
	) WHERE began = 'invoke' AND ended <> 'invoke'`
	calls, took := 0, time.Duration(0)
	for c := range h.Calls() {
		if c.Complete != nil {
			calls, took = calls+1, took+c.Complete.Time-c.Invoke.Time
		}
	}
	row := asked(t, program, path, join)[0]
	if fmt.Sprint(row["n"]) != fmt.Sprint(calls) || calls > 0 && fmt.Sprint(row["took"]) != fmt.Sprint(int64(took)) {
		t.Errorf("DuckDB joins %v calls that took %v ns, want %d and %d", row["n"], row["took"], calls, took)
	}
}

// testDuckRows compares every column of every row.
func testDuckRows(t *testing.T, program, path string, run Run, h fallacy.History) {
	t.Helper()
	rows := asked(t, program, path, "SELECT *, epoch_us(utc) AS us, typeof(utc) AS clock FROM history ORDER BY index")
	if len(rows) != len(h) {
		t.Fatalf("%d rows for %d ops", len(rows), len(h))
	}
	null := func(text string) any {
		if text == "" {
			return nil
		}
		return text
	}
	for i, op := range h {
		row := rows[i]
		want := map[string]any{
			"index": fmt.Sprint(op.Index), "process": fmt.Sprint(op.Process), "nemesis": null(op.Nemesis), "type": op.Type.String(), "f": op.F,
			"error": null(op.Error), "node": null(op.Node), "us": fmt.Sprint(run.Epoch.Add(op.Time).UnixMicro()), "clock": "TIMESTAMP WITH TIME ZONE",
		}
		for name, w := range want {
			if got := row[name]; got != w && fmt.Sprint(got) != w {
				t.Errorf("op %d has the %s %v, want %v", i, name, got, w)
			}
		}
		text, _ := row["value"].(string)
		if v, err := fallacy.ParseValue([]byte(text)); op.Value.IsNil() != (row["value"] == nil) || text != "" && (err != nil || !v.Equal(op.Value)) {
			t.Errorf("op %d has the value %q (%v), want %v", i, text, err, op.Value)
		}
	}
	// Nested values are reached as JSON.
	var pairs int
	for _, op := range h {
		if strings.HasPrefix(op.Value.String(), "[") {
			pairs++
		}
	}
	row := asked(t, program, path, "SELECT count(json_array_length(value)) AS n FROM history WHERE value LIKE '[%'")[0]
	if got := fmt.Sprint(row["n"]); got != fmt.Sprint(pairs) {
		t.Errorf("DuckDB looks into %s values, want %d", got, pairs)
	}
}
