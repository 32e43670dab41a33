package checkers_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
)

func TestCrashes(t *testing.T) {
	patterns := []string{`^panic:`, `(?i)fatal|killed`}
	for name, c := range map[string]struct {
		logs     fstest.MapFS
		patterns []string
		verdict  fallacy.Verdict
		why      string
	}{
		"planted": {
			fstest.MapFS{
				"n1/store.log": {Data: []byte("starting\nall well\n")},
				"n2/store.log": {Data: []byte("starting\npanic: index out of range\ngoroutine 1\n")},
			},
			patterns, fallacy.Invalid, "node n2 wrote into store.log, line 2: panic: index out of range",
		},
		"killed by a fault": {
			fstest.MapFS{"n1/store.log": {Data: []byte("starting\nstore: signal: killed\n")}},
			patterns, fallacy.Valid, "",
		},
		"amid a line":        {fstest.MapFS{"n1/a": {Data: []byte("do not panic: it is nothing")}}, patterns, fallacy.Valid, ""},
		"after a long line":  {fstest.MapFS{"n1/a": {Data: []byte(strings.Repeat("x", 1<<20) + "\npanic: late")}}, patterns, fallacy.Invalid, "line 2: panic: late"},
		"nothing was logged": {fstest.MapFS{"n1/a": {}}, patterns, fallacy.Valid, ""},
		"no logs":            {fstest.MapFS{}, patterns, fallacy.Unknown, ""},
		"no patterns":        {fstest.MapFS{"n1/a": {}}, nil, fallacy.Unknown, ""},
		"not a pattern":      {fstest.MapFS{"n1/a": {}}, []string{"("}, fallacy.Unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := checkers.Judge(t.Context(), nil, []*fallacy.Checker{checkers.Crashes(c.logs, c.patterns)}, checkers.Options{})[0].Finding
			if f.Verdict != c.verdict {
				t.Fatalf("got %v (%s), want %v", f.Verdict, f.Reason, c.verdict)
			}
			if c.why != "" && (len(f.Anomalies) != 1 || f.Anomalies[0].Name != "crash" || !strings.Contains(f.Anomalies[0].Why, c.why)) {
				t.Errorf("got %+v, want one crash: %s", f.Anomalies, c.why)
			}
		})
	}
}
