package results

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// exportedMax is how many anomalies of a checker are told in an export.
const exportedMax = 20

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suite   junitSuite
}

type junitSuite struct {
	XMLName    xml.Name        `xml:"testsuite"`
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	XMLName xml.Name      `xml:"testcase"`
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitTrouble `xml:"failure"`
	Error   *junitTrouble `xml:"error"`
}

type junitTrouble struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes the findings as tests: invalid is a failure, unknown an
// error, so that neither passes. What no checker said of a run that is not valid
// is a test of its own.
func writeJUnit(w *bufio.Writer, run Run, _ fallacy.History) error {
	suite := junitSuite{Name: run.Name, Time: junitTime(run.Took), Properties: []junitProperty{
		{"verdict", run.Verdict.String()}, {"seed", fmtUint(run.Seed)}, {"command", quoted(run.Command)},
	}}
	if !run.Started.IsZero() {
		suite.Timestamp = run.Started.UTC().Format("2006-01-02T15:04:05")
	}
	worst := fallacy.Valid
	for _, f := range run.Findings {
		worst = fallacy.Worse(worst, f.Verdict)
		suite.add(junitCase{Name: f.Checker, Class: run.Name, Time: junitTime(f.Took)}, f.Verdict, f.Reason, f.Anomalies)
	}
	if len(run.Findings) == 0 || fallacy.Worse(worst, run.Verdict) != worst {
		suite.add(junitCase{Name: "run", Class: run.Name, Time: suite.Time}, run.Verdict, run.Reason, nil)
	}
	if _, err := w.WriteString(xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Suite: suite}); err != nil {
		return err
	}
	return w.WriteByte('\n')
}

// add adds a test that came to a verdict.
func (s *junitSuite) add(test junitCase, verdict fallacy.Verdict, reason string, anomalies []fallacy.Anomaly) {
	s.Tests++
	trouble := &junitTrouble{Message: reason, Type: verdict.String()}
	if len(anomalies) > 0 {
		trouble.Message, trouble.Type, trouble.Text = strings.Join(names(anomalies), ", "), anomalies[0].Name, told(anomalies)
	}
	switch verdict {
	case fallacy.Invalid:
		s.Failures++
		test.Failure = trouble
	case fallacy.Unknown:
		s.Errors++
		test.Error = trouble
	}
	s.Cases = append(s.Cases, test)
}

// told is a line for each of the first anomalies.
func told(anomalies []fallacy.Anomaly) string {
	var text strings.Builder
	for i, a := range varied(anomalies) {
		if i == exportedMax {
			fmt.Fprintf(&text, "and %d more\n", len(anomalies)-i)
			break
		}
		fmt.Fprintf(&text, "%s: %s (ops %s)\n", a.Name, a.Why, opsOf(a))
	}
	return text.String()
}

// varied orders anomalies so that each name comes before one comes twice.
func varied(anomalies []fallacy.Anomaly) []fallacy.Anomaly {
	type turn struct{ nth, at int }
	turns := make([]turn, len(anomalies))
	seen := make(map[string]int)
	for i, a := range anomalies {
		turns[i] = turn{seen[a.Name], i}
		seen[a.Name]++
	}
	slices.SortFunc(turns, func(a, b turn) int { return cmp.Or(a.nth-b.nth, a.at-b.at) })
	all := make([]fallacy.Anomaly, len(turns))
	for i, t := range turns {
		all[i] = anomalies[t.at]
	}
	return all
}

// opsOf are the indexes of an anomaly's ops.
func opsOf(a fallacy.Anomaly) string { return shorten(strings.Trim(fmt.Sprint(a.Ops), "[]"), 200) }

func junitTime(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
