package results

import (
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

func TestMatrices(t *testing.T) {
	cut := func(peers ...string) fallacy.Condition {
		c := fallacy.Condition{Links: make(map[string]fallacy.Link)}
		for _, p := range peers {
			c.Links[p] = fallacy.Link{Cut: true}
		}
		return c
	}
	oneWay := &episode{Nemesis: "partition:one-way", Kind: "partition", What: "a", Damage: damage{"n1": cut("n3"), "n2": {Links: map[string]fallacy.Link{"n1": {Delay: time.Second}}}}}
	again := *oneWay
	clients := &episode{Nemesis: "partition", Kind: "partition", What: "b", Damage: damage{fallacy.Clients: cut("n1")}}
	all := matricesOf([]*episode{oneWay, clients, {Kind: "kill"}, &again}, []string{"n1", "n2", "n3"})
	if len(all) != 2 || len(all[0].When) != 2 || len(all[1].Members) != 4 {
		t.Fatalf("got %d matrices: %+v", len(all), all)
	}
	var drawn strings.Builder
	for _, row := range all[0].Rows {
		for _, c := range row.Cells {
			drawn.WriteString((c.Mark + "-")[:1])
		}
		drawn.WriteString("/")
	}
	if drawn.String() != "s-c/hs-/--s/" || all[0].Cut != 1 || all[0].Links != 6 {
		t.Errorf("got %s, %d of %d", drawn.String(), all[0].Cut, all[0].Links)
	}
}

func TestOutages(t *testing.T) {
	c := callsOf(storyRun(), storyHistory())
	got := outagesOf(c)["n1"]
	if got == nil || got.From != 32*time.Millisecond || got.Lasted != 72*time.Millisecond {
		t.Errorf("n1: got %+v", got)
	}
}
