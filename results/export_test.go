package results

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"slices"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/results/jepsen"
)

func exported(t *testing.T, format string, run Run, h fallacy.History) string {
	t.Helper()
	var out bytes.Buffer
	must(t, Export(&out, format, run, h))
	return out.String()
}

// exportHistories are histories with every kind of value, and with trouble in
// every string.
func exportHistories() map[string]fallacy.History {
	odd := fallacy.History{
		{Index: 0, F: "a b", Value: fallacy.List(fallacy.Bool(true), fallacy.Int(-7), fallacy.String("q\"\\\n\t\r\u00e9:x"), fallacy.List())},
		{Index: 1, Time: 5, Type: fallacy.Info, F: "a b", Error: `no "luck"; [or] {so}`, Extra: `"ext":{"a b":[1,null]}`},
		{Index: 2, Time: 6, Process: fallacy.NemesisProcess, F: "inject"},
	}
	return map[string]fallacy.History{"story": storyHistory(), "transactions": cycleHistory(), "odd": odd}
}

func TestExportRoundTrips(t *testing.T) {
	for name, h := range exportHistories() {
		want := exported(t, "jsonl", Run{}, h)
		text := exported(t, "edn", Run{}, h)
		if !jepsen.Sniff([]byte(text)) {
			t.Errorf("%s: the EDN is not taken for EDN", name)
		}
		for format, text := range map[string]string{"edn": text, "jsonl": want} {
			back, damage, err := ReadHistory(strings.NewReader(text))
			if err != nil || damage != nil {
				t.Fatalf("%s: %v, %v in\n%s", name, damage, err, text)
			}
			if got := exported(t, "jsonl", Run{}, back); got != want {
				t.Errorf("%s by %s comes back as\n%s\nwant\n%s", name, format, got, want)
			}
		}
	}
}

func TestExportEDNLooksLikeJepsen(t *testing.T) {
	first, _, _ := strings.Cut(exported(t, "edn", Run{}, cycleHistory()[2:]), "\n")
	want := `{:type :ok, :f :txn, :value [[:r "x" [1 2 3 4 5]] [:append "y" 1] [:r "z" nil]], :process 0, :time 9000000, :index 2, :node "n1"}`
	if first != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
}

func TestExportCSV(t *testing.T) {
	for name, h := range exportHistories() {
		rows, err := csv.NewReader(strings.NewReader(exported(t, "csv", Run{}, h))).ReadAll()
		must(t, err)
		if len(rows) != len(h)+1 {
			t.Fatalf("%s: %d rows for %d ops", name, len(rows), len(h))
		}
		for i, op := range h {
			if v, err := fallacy.ParseValue([]byte(rows[i+1][5])); err != nil || !v.Equal(op.Value) {
				t.Errorf("%s: op %d has the value %v, %v", name, i, rows[i+1], err)
			}
		}
	}
}

func TestExportJUnit(t *testing.T) {
	run := storyRun()
	run.Findings = append(generalFindings(t), storyFinding())
	run.Verdict = fallacy.Invalid
	golden(t, "junit.xml", exported(t, "junit", run, nil))

	unfinished := storyRun()
	unfinished.Verdict, unfinished.Reason, unfinished.Findings = fallacy.Unknown, "the run did not finish", nil
	for name, run := range map[string]Run{"unfinished": unfinished, "hostile": hostileRun()} {
		var suites struct {
			Suite struct {
				Errors int `xml:"errors,attr"`
				Cases  []struct {
					Name string `xml:"name,attr"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		must(t, xml.Unmarshal([]byte(exported(t, "junit", run, nil)), &suites))
		if suites.Suite.Errors == 0 || len(suites.Suite.Cases) == 0 {
			t.Errorf("%s: %+v lets what is unknown pass", name, suites)
		}
	}
}

func TestExportMarkdown(t *testing.T) {
	run := cycleRun("G2-item", cycleSteps())
	golden(t, "findings.md", exported(t, "markdown", run, nil))
	hostile := hostileRun()
	hostile.Name, hostile.Findings[0].Reason = "@everyone ![x](https://example.org) `code` | <b>", "a\n# b"
	text, _, _ := strings.Cut(exported(t, "markdown", hostile, nil), "Run it again: `") // what follows is code
	for _, bad := range []string{"<b>", "<img", "<script", "@everyone", "![x", "https://", "\n# b"} {
		if strings.Contains(text, bad) {
			t.Errorf("the comment has %q in it:\n%s", bad, text)
		}
	}
}

func TestExportTellsEachKindFirst(t *testing.T) {
	run := cycleRun("G2-item", nil)
	f := &run.Findings[0]
	f.Anomalies = append(slices.Repeat([]fallacy.Anomaly{{Name: "G1b", Why: "w"}}, 3*exportedMax), fallacy.Anomaly{Name: "G0", Why: "rare"})
	for _, format := range []string{"junit", "markdown"} {
		text := exported(t, format, run, nil)
		if !strings.Contains(text, "rare") || !strings.Contains(strings.ToLower(text), "and 41 more") {
			t.Errorf("%s:\n%s", format, text)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	for _, f := range Formats() {
		if err := Export(&bytes.Buffer{}, f.Name, Run{}, storyHistory()); (err != nil) != f.Findings {
			t.Errorf("a history alone as %s: %v", f.Name, err)
		}
	}
	if err := Export(&bytes.Buffer{}, "ednn", Run{}, nil); err == nil {
		t.Error("an unknown format is written")
	}
	if !slices.ContainsFunc(Formats(), func(f Format) bool { return f.Name == "edn" }) {
		t.Error("edn is gone")
	}
}
