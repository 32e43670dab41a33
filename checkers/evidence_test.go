package checkers_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
)

// TestManyAnomaliesAreCountedAndFewShown keeps a report from drowning.
func TestManyAnomaliesAreCountedAndFewShown(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "0 invoke add %d\n0 ok add %d\n", i, i)
	}
	b.WriteString("0 invoke read null\n0 ok read [0,0,2000]\n")
	h, err := script.History(b.String())
	if err != nil {
		t.Fatal(err)
	}
	f, err := checkers.Set().Check(t.Context(), h)
	if err != nil || f.Verdict != fallacy.Invalid {
		t.Fatal(f.Verdict, err)
	}
	shown := make(map[string]int)
	for _, a := range f.Anomalies {
		shown[a.Name]++
	}
	if got, want := fmt.Sprint(shown), "map[duplicate:1 lost:16 phantom:1]"; got != want {
		t.Errorf("shown: got %v, want %v", got, want)
	}
	if got := details(t, f); !strings.Contains(got, `"lost": 999`) {
		t.Errorf("details do not count what is lost: %s", got)
	}
}
