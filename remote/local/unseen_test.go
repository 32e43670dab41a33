package local_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote/remotetest"
)

// TestHealUnderACutTheOtherWay: a stall that is healed while the way back is cut
// leaves no connection to see that by, and the heal did not fail for it. What a
// standing connection can show is still asked for.
func TestHealUnderACutTheOtherWay(t *testing.T) {
	c := open(t, "n1", "n2")
	for _, test := range []struct {
		name   string
		first  fallacy.Link
		unseen bool
	}{
		{"stall", fallacy.Link{Stall: true}, true},
		{"reset", fallacy.Link{Reset: true}, true},
		{"delay", fallacy.Link{Delay: time.Millisecond}, false},
	} {
		for _, from := range []string{fallacy.Clients, "n2"} {
			remotetest.Impose(t, c, test.name, remotetest.Linked(from, "n1", test.first))
			remotetest.Impose(t, c, "cut", remotetest.Linked("n1", from, fallacy.Link{Cut: true}))
			evidence := remotetest.Impose(t, c, test.name, nil)
			if got := strings.Contains(evidence, `"unseen_links":["`+from+`>n1"]`); got != test.unseen {
				t.Errorf("%s from %s: %s, want unseen links: %v", test.name, from, evidence, test.unseen)
			}
			remotetest.Impose(t, c, "cut", nil)
			remotetest.Impose(t, c, "", nil) // every link is looked at, so connections stand again
			remotetest.Impose(t, c, "again", remotetest.Linked("n1", from, fallacy.Link{Cut: true}))
			evidence = remotetest.Impose(t, c, "more", remotetest.Linked(from, "n1", fallacy.Link{Delay: time.Millisecond}))
			if strings.Contains(evidence, "unseen") {
				t.Errorf("%s from %s, healed: %s", test.name, from, evidence)
			}
			remotetest.Impose(t, c, "more", nil)
			remotetest.Impose(t, c, "again", nil)
		}
	}
}

// TestNothingCrosses: what a fault does to what crosses a link took no effect where
// nothing does, or where nobody can see it.
func TestNothingCrosses(t *testing.T) {
	c := open(t, "n1", "n2")
	slow := remotetest.Linked("n2", "n1", fallacy.Link{Delay: time.Millisecond})
	refused := func(why string) {
		t.Helper()
		if err := c.Impose(t.Context(), "delay", slow); err != nil {
			t.Fatal(err)
		}
		if evidence, err := c.Verify(t.Context(), "delay"); err == nil || !strings.Contains(err.Error(), "every link that it is about") {
			t.Errorf("%s: verified as %v, %v", why, evidence, err)
		}
		remotetest.Impose(t, c, "delay", nil)
	}
	remotetest.Impose(t, c, "cut", remotetest.Linked("n2", "n1", fallacy.Link{Cut: true}))
	refused("cut by another fault")
	remotetest.Impose(t, c, "stall", remotetest.Linked("n2", "n1", fallacy.Link{Stall: true}))
	remotetest.Impose(t, c, "cut", remotetest.Linked("n1", "n2", fallacy.Link{Cut: true}))
	remotetest.Impose(t, c, "stall", nil)
	refused("no connection, and the way back is cut")
	remotetest.Impose(t, c, "cut", nil)
	remotetest.Impose(t, c, "delay", slow)
	remotetest.Impose(t, c, "delay", nil)
}
