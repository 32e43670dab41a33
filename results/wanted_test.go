package results

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
)

func TestAPIRunsByWhatIsAsked(t *testing.T) {
	root, _ := shelfOfRuns(t)
	h := Handler(root, nil)
	all := func(query string) (runs []Summary) {
		t.Helper()
		w := ask(t, h, "/api/runs?"+query)
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		must(t, json.Unmarshal(w.Body.Bytes(), &runs))
		return runs
	}
	every := all("")
	if len(every) < 2 {
		t.Fatalf("%d runs are too few to leave any out", len(every))
	}
	for query, ok := range map[string]func(Summary) bool{
		"verdict=invalid":  func(s Summary) bool { return s.Verdict == fallacy.Invalid },
		"target=refstore":  func(s Summary) bool { return s.Target == "refstore" },
		"workload=nothing": func(s Summary) bool { return false },
		"fault=partition":  func(s Summary) bool { return strings.Contains(strings.Join(s.Faults, " "), "partition") },
		"search=STALE+reg": func(s Summary) bool { return strings.Contains(s.Bug, "stale") && strings.Contains(s.Name, "reg") },
	} {
		want := 0
		for _, s := range every {
			if ok(s) {
				want++
			}
		}
		got := all(query)
		for _, s := range got {
			if !ok(s) {
				t.Errorf("%s: %+v", query, s)
			}
		}
		if len(got) != want {
			t.Errorf("%s: %d runs, want %d", query, len(got), want)
		}
	}
	for query, want := range map[string]string{"verdict=bad": "say valid, invalid or unknown", "tarqet=x": "ask by target"} {
		if w := ask(t, h, "/api/runs?"+query); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: got %d %s", query, w.Code, w.Body)
		}
	}
	yes, err := wantedBy(map[string][]string{"fault": {"kill"}})
	if err != nil || !yes(Summary{Faults: []string{"pause", "kill:leader"}}) || yes(Summary{Faults: []string{"killer"}}) {
		t.Errorf("a fault by its family: %v", err)
	}
}
