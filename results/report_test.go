package results

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew; then read the diff")

// judged returns the run with what the general checkers find in h.
func judged(run Run, h fallacy.History) Run {
	all := []*fallacy.Checker{checkers.Coverage([]string{"partition", "clock"}), checkers.Stats(), checkers.Recovery()}
	for _, j := range checkers.Judge(context.Background(), h, all, checkers.Options{}) {
		run.Findings = append(run.Findings, Finding{Checker: j.Checker, Title: j.Title, Finding: j.Finding, Took: 3 * time.Millisecond})
	}
	run.Ops = Count(h)
	for _, f := range run.Findings {
		run.Verdict = fallacy.Worse(run.Verdict, f.Verdict)
	}
	return run
}

var hostileText = `</script><script>window.owned=1</script><img src=x onerror=window.owned=2>"'` + "\u202e\x1b[31m{{.}}"

// hostileRun has markup wherever a string can be.
func hostileRun() Run {
	run := storyRun()
	bad := hostileText
	run.Promise, run.Bug, run.Reason, run.Version, run.System, run.Remote = bad, bad, bad, bad, bad, bad
	run.Command = []string{"fallacy", bad}
	run.Nodes = []string{bad, "n2"}
	run.Parameters, run.Clocks = map[string]string{bad: bad}, map[string]string{bad: bad}
	run.Faults = []Fault{{bad, bad, bad}}
	run.Findings = []Finding{
		{Checker: bad, Title: bad, Finding: fallacy.Finding{Verdict: fallacy.Invalid, Reason: bad, Details: map[string]string{bad: bad}, Anomalies: []fallacy.Anomaly{{Name: bad, Why: bad, Ops: []int{0, 1, 2, 3}}}}},
		{Checker: "stats", Title: bad, Finding: fallacy.Finding{Details: map[string]any{"functions": map[string]any{bad: map[string]int{"ok": 1}}, "nodes": map[string]any{bad: map[string]int{"ok": 1}}}}},
		{Checker: "recovery", Title: bad, Finding: fallacy.Finding{Details: map[string]any{"heals": []any{map[string]any{"nemesis": bad, "op": 5, "never": []string{bad}}}}}},
	}
	return run
}

func hostileHistory() fallacy.History {
	bad := hostileText
	v := fallacy.Tuple(fallacy.String(bad), fallacy.String(bad))
	damage := fallacy.Object(fallacy.Field{Name: bad, Value: fallacy.Object(fallacy.Field{Name: "process", Value: fallacy.String("killed")})})
	report := fallacy.Object(fallacy.Field{Name: "damage", Value: damage}, fallacy.Field{Name: "evidence", Value: fallacy.Object(fallacy.Field{Name: bad, Value: fallacy.String(bad)})})
	h := fallacy.History{
		{Time: 1e6, Process: 0, F: bad, Value: v, Node: bad},
		{Time: 2e6, Process: 0, Type: fallacy.OK, F: bad, Value: v, Node: bad, Error: bad},
		{Time: 3e6, Process: fallacy.NemesisProcess, Nemesis: bad, F: "inject"},
		{Time: 4e6, Process: fallacy.NemesisProcess, Nemesis: bad, Type: fallacy.Info, F: "inject", Value: report, Error: bad},
		{Time: 5e6, Process: fallacy.NemesisProcess, Nemesis: bad, F: "heal"},
		{Time: 6e6, Process: fallacy.NemesisProcess, Nemesis: bad, Type: fallacy.Info, F: "heal", Error: bad},
		{Time: 7e6, Process: 1, F: bad, Value: fallacy.String(bad)},
		{Time: 8e6, Process: 1, Type: fallacy.Info, F: bad, Error: bad},
	}
	for i := range h {
		h[i].Index = i
	}
	return h
}

var someLogs = fstest.MapFS{
	"n1/stdout.log":  {Data: []byte("listening\n" + hostileText + "\n")},
	"n2/stdout.log":  {Data: []byte(strings.Repeat("a line of a log that goes on\n", 20_000))},
	"n10/stderr.log": {Data: []byte{}},
	"n1/resources.jsonl": {Data: []byte(`{"at_ns":0,"pid":7,"cpu_ns":0,"memory_bytes":2097152,"open_files":5,"threads":2,"read_bytes":0,"written_bytes":4096}
{"at_ns":50000000,"pid":7,"cpu_ns":10000000,"memory_bytes":3145728,"open_files":6,"threads":3,"read_bytes":0,"written_bytes":8192}
{"at_ns":100000000,"pid":0,"cpu_ns":0,"memory_bytes":0,"open_files":0,"threads":0,"read_bytes":0,"written_bytes":0}
`)},
}

func reportOf(t *testing.T, run Run, h fallacy.History) string {
	t.Helper()
	var out bytes.Buffer
	must(t, Report(&out, run, h, someLogs))
	return out.String()
}

var (
	styleElement  = regexp.MustCompile(`(?s)<style>.*?</style>`)
	scriptElement = regexp.MustCompile(`(?s)<script>.*?</script>`)
	dataElement   = regexp.MustCompile(`(?s)<script type="application/octet-stream" id="data">(.*?)</script>`)
	policyHash    = regexp.MustCompile(`sha256-.*?&#39;`)
)

// unpackData returns the header and the columns of a page's data.
func unpackData(t *testing.T, page string) (head header, rows [][]uint64) {
	t.Helper()
	m := dataElement.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no data")
	}
	raw, err := base64.StdEncoding.DecodeString(m[1])
	must(t, err)
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(raw)))
	must(t, err)
	size, n := binary.Uvarint(text)
	must(t, json.Unmarshal(text[n:n+int(size)], &head))
	text = text[n+int(size):]
	for range columns {
		column := make([]uint64, head.N)
		for i := range column {
			x, n := binary.Uvarint(text)
			column[i], text = x, text[n:]
		}
		rows = append(rows, column)
	}
	if len(text) > 0 {
		t.Errorf("%d bytes are left behind the columns", len(text))
	}
	return head, rows
}

func TestReportIsGolden(t *testing.T) {
	run := storyRun()
	run.Verdict, run.Findings, run.Ops = fallacy.Invalid, append(generalFindings(t), storyFinding()), Count(storyHistory())
	page := reportOf(t, run, storyHistory())
	head, rows := unpackData(t, page)
	text, err := json.MarshalIndent(map[string]any{"header": head, "columns": rows}, "", " ")
	must(t, err)
	page = styleElement.ReplaceAllString(page, "<style>…</style>")
	page = dataElement.ReplaceAllString(page, "<data>…</data>")
	page = scriptElement.ReplaceAllString(page, "<script>…</script>")
	page = policyHash.ReplaceAllString(page, "sha256-…&#39;")
	page = regexp.MustCompile(`(?s)<pre class="log".*?</pre>`).ReplaceAllString(page, "<pre>…</pre>")
	golden(t, "report.html", page)
	golden(t, "data.json", regexp.MustCompile(`\n +(\d)`).ReplaceAllString(string(text), " $1"))
}

// generalFindings are what the checkers stats, recovery and coverage say, in
// words that stay when theirs change.
func generalFindings(t *testing.T) []Finding {
	t.Helper()
	var findings []Finding
	must(t, json.Unmarshal([]byte(`[
		{"checker": "stats", "title": "how operations ended", "verdict": "valid", "examined": 7, "took_ns": 3000000, "details": {
			"functions": {"read": {"ok": 3, "faulty": {"ok": 1}}, "write": {"ok": 2, "info": 1, "faulty": {"ok": 1, "info": 1}}},
			"nodes": {"n10": {"ok": 1}, "n2": {"ok": 2}},
			"latency": {"read": {"p50_ns": 2000000, "p95_ns": 3900000, "p99_ns": 4000000, "max_ns": 4000000}}}},
		{"checker": "recovery", "title": "how soon nodes served again", "verdict": "valid", "examined": 7, "took_ns": 1000, "details": {
			"heals": [{"nemesis": "partition:isolate", "op": 15, "nodes_ns": {"n1": 9000000, "n2": 4000000}, "never": ["n3"], "slowest_ns": 9000000}]}},
		{"checker": "coverage", "title": "all was tried", "verdict": "unknown", "examined": 7, "took_ns": 1000, "reason": "fault clock never took effect"}
	]`), &findings))
	return findings
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; if it should, run go test ./results -rewrite and read the diff (-want +got):\n%s", path, diff)
	}
}

func TestReportEscapesEverything(t *testing.T) {
	page := reportOf(t, hostileRun(), hostileHistory())
	for _, evil := range []string{"<script>window", "<img", "onerror=window.owned=2>", "\x1b", `"'` + "\u202e"} {
		if strings.Contains(page, evil) {
			at := strings.Index(page, evil)
			t.Errorf("the page holds %q: …%.200q", evil, page[max(0, at-100):])
		}
	}
	if n := strings.Count(page, "<script"); n != 2 {
		t.Errorf("the page has %d script elements, want 2", n)
	}
	for _, outside := range []string{"src=", "http:", "https:", "@import", "url(http", "<link", "fetch("} {
		if i := strings.Index(page, outside); i >= 0 && !strings.Contains(hostileText, outside) {
			t.Errorf("the page holds %q: …%.80q", outside, page[max(0, i-40):])
		}
	}
}

func TestReportVerdicts(t *testing.T) {
	h := storyHistory()
	valid := storyRun()
	valid.Verdict = fallacy.Valid
	valid.Findings = []Finding{{Checker: "linearizable", Title: "each key behaves as one register", Finding: fallacy.Finding{Verdict: fallacy.Valid, Examined: 7}}}
	unknown := storyRun()
	unknown.Reason = "the run did not finish"
	lacking := judged(storyRun(), h)
	bare := Run{Name: "check/of-a-file"}
	for _, c := range []struct {
		name string
		run  Run
		h    fallacy.History
		want []string
	}{
		{"valid", valid, h, []string{"<title>Valid:", "the promise held.", "What was examined", "2\u00a0faults came and went, 1 of them seen", "fallacy run refstore/register"}},
		{"unknown", unknown, h, []string{"<title>Unknown:", "the run did not finish.", "What is missing", "Unknown is not a pass"}},
		{"lacking", lacking, h, []string{"<b>coverage</b> cannot tell: ", "fault clock never took effect", "not verified", `<tr><td>cas</td><td class="r">0</td><td class="r">1</td>`, "<tr><td>n3</td>", "partition, isolate</td>"}},
		{"bare", bare, nil, []string{"<title>Unknown:", "nothing was judged", "None has judged"}},
		{"no findings", Run{Name: "a/b", Verdict: fallacy.Invalid, Reason: "somebody says so"}, h[:1], []string{"Invalid:", "Somebody says so."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := reportOf(t, c.run, c.h)
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
		})
	}
}

func TestReportOfStoredRunIsTheSame(t *testing.T) {
	d := create(t, t.TempDir())
	run := storyRun()
	run.Findings = []Finding{storyFinding()}
	run = judged(run, storyHistory())
	must(t, d.SaveRun(run))
	stored, err := d.LoadRun()
	must(t, err)
	if diff := cmp.Diff(reportOf(t, run, storyHistory()), reportOf(t, stored, storyHistory())); diff != "" {
		t.Errorf("report (-judged +stored):\n%s", diff)
	}
}

func TestReportIsSmall(t *testing.T) {
	small := reportOf(t, judged(busyRun(), busyHistory(2700, 20*time.Second)), busyHistory(2700, 20*time.Second))
	if len(small) > 300<<10 {
		t.Errorf("a run of 2,700 calls makes %d bytes, want less than %d", len(small), 300<<10)
	}
	h := busyHistory(30_000, 100*time.Second)
	if page := reportOf(t, busyRun(), h); len(page)/len(h) > 15 {
		t.Errorf("a run of %d ops makes %d bytes, more than 15 an op", len(h), len(page))
	}
}

func TestManyAnomaliesStaySmall(t *testing.T) {
	h := busyHistory(2700, 20*time.Second)
	run := busyInvalid(h)
	f := &run.Findings[0]
	for range 5000 {
		f.Anomalies = append(f.Anomalies, fallacy.Anomaly{Name: "lost", Why: "it is gone (op 7)", Ops: []int{0, 1, 2, 3, 4, 5, 6, 7}})
	}
	page := reportOf(t, run, h)
	if len(page) > 500<<10 {
		t.Errorf("5,001 anomalies make %d bytes", len(page))
	}
	for _, want := range []string{"All 5\u202f001 are in run.json", "something that was acknowledged is gone.", `It is gone (<a href="#op=7">op 7</a>).`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func BenchmarkReport(b *testing.B) {
	h := busyHistory(100_000, 100*time.Second)
	run := judged(busyRun(), h)
	var size int
	for b.Loop() {
		var out bytes.Buffer
		if err := Report(&out, run, h, nil); err != nil {
			b.Fatal(err)
		}
		size = out.Len()
	}
	perOp(b, len(h))
	b.ReportMetric(float64(size)/float64(len(h)), "bytes/op")
}

func TestReportOfForeignHistories(t *testing.T) {
	for name, h := range map[string]fallacy.History{
		"huge processes":     {{Process: 1 << 40, F: "read"}, {Index: 1, Time: 5, Process: 1 << 40, Type: fallacy.OK, F: "read"}},
		"time runs back":     {{Time: 9e9, F: "w", Value: fallacy.Int(1)}, {Index: 1, Time: 1e9, Type: fallacy.OK, F: "w"}},
		"only a nemesis":     {{Process: -1, Nemesis: "kill", F: "inject"}},
		"a heal of nothing":  {{Process: -1, Nemesis: "kill", F: "heal"}, {Index: 1, Process: -1, Nemesis: "kill", Type: fallacy.Info, F: "heal"}},
		"completions only":   {{Type: fallacy.OK, F: "read"}, {Index: 1, Type: fallacy.Info, F: "read"}},
		"indexes with holes": {{Index: 7, F: "read"}, {Index: 70, Type: fallacy.Fail, F: "read"}},
	} {
		t.Run(name, func(t *testing.T) {
			run := Run{Name: "check/of-a-file", Verdict: fallacy.Invalid, Findings: []Finding{storyFinding()}}
			run.Findings[0].Anomalies[0].Ops = []int{-1, 0, 1, 7, 70, 1 << 50}
			head, _ := unpackData(t, reportOf(t, run, h))
			if len(head.Lanes) > lanesMax {
				t.Errorf("%d lanes", len(head.Lanes))
			}
		})
	}
}
