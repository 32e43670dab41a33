package results

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

// TestPlantedBugsAreStuck judges the recorded runs of registers again: the page
// must say where every order ends, and that none of the calls that could come next
// can; one of them is of those that prove it.
func TestPlantedBugsAreStuck(t *testing.T) {
	for _, bug := range []string{"stale-read", "lost-write", "lease-clock", "dirty-read"} {
		t.Run(bug, func(t *testing.T) {
			d, run, h := plantedRun(t, bug)
			f, err := linearizable.Register().Check(t.Context(), h)
			must(t, err)
			run.Findings = []Finding{{Checker: "linearizable", Finding: f}}
			v, err := newView(run, h, d.Logs())
			must(t, err)
			stuck := 0
			for _, s := range v.results.Stories {
				if s.Stuck == nil {
					continue
				}
				stuck++
				if len(s.Stuck.Next) == 0 || slices.ContainsFunc(s.Stuck.Next, func(p ResultPlaced) bool { return p.Why == "" || p.Words == "" }) {
					t.Errorf("what comes next is %+v", s.Stuck.Next)
				}
				if slices.ContainsFunc(s.Stuck.Order, func(p ResultPlaced) bool { return p.State == "" }) || len(s.Stuck.Order) > 8 {
					t.Errorf("the order is %+v", s.Stuck.Order)
				}
				proof := func(p ResultPlaced) bool {
					return slices.ContainsFunc(s.Calls, func(c ResultCall) bool { return c.Op == p.Op })
				}
				if !slices.ContainsFunc(s.Stuck.Next, proof) && s.Stuck.More == 0 {
					t.Errorf("%s\nnone of the calls that prove it is where orders end: %+v", s.Why, s.Stuck)
				}
			}
			if stuck*4 < len(v.results.Stories)*3 {
				t.Errorf("%d of %d stories say where orders end", stuck, len(v.results.Stories))
			}
			var page bytes.Buffer
			must(t, v.write(&page))
			if text := anyTag.ReplaceAllString(page.String(), ""); !strings.Contains(text, "What could come next, and why it cannot") || !strings.Contains(text, "and here is") {
				t.Error("the page does not tell it")
			}
		})
	}
}

// What a checker says that is not of this history, or is nothing, does no harm.
func TestStuckOfAnotherHistory(t *testing.T) {
	c := callsOf(storyRun(), storyHistory())
	if stuckOf(nil, c).result() != nil {
		t.Error("nothing became something")
	}
	s := stuckOf(&fallacy.Stuck{From: hostileText, Order: []fallacy.Placed{{Op: 1, State: "34"}, {Op: 99}}, Next: []fallacy.Placed{{Op: -1, Why: "x"}}}, c)
	if len(s.Order) != 1 || s.Order[0].State != "34" || len(s.Next) != 0 {
		t.Errorf("got %+v", s)
	}
}
