package etcd

import (
	"context"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/nemesis"
	"github.com/fallacy-dev/fallacy/targets/targettest"
)

// What was discarded is refused, and a watch that begins there is told so and goes on
// with what is left; a database is smaller when it was written anew.
func TestMaintenance(t *testing.T) {
	c := start(t, 3)
	for _, name := range []string{"compact", "defrag"} {
		n, err := nemesis.New(name, nemesis.Schedule{})
		if err != nil {
			t.Fatal(err)
		}
		conn := connect(t, c.Nodes[1].Public["client"])
		for round := range 3 {
			for i := range 300 {
				if _, err := conn.Set(t.Context(), "x", i); err != nil {
					t.Fatal(err)
				}
			}
			if name == "defrag" { // or there is no room to give back
				if _, err := compact(t.Context(), c.Nodes[0]); err != nil {
					t.Fatal(err)
				}
			}
			damage, err := n.Fault.Inject(t.Context(), fallacy.NewChance(uint64(round)).Rand(), c)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			evidence, err := n.Fault.Verify(t.Context(), c)
			if err != nil {
				t.Fatalf("%s, %v: %v", name, damage, err)
			}
			seen, _ := evidence.Get(name).Fields()
			for _, one := range seen {
				revision, isCompacted := one.Value.Get("revision").Int()
				before, _ := one.Value.Get("before").Int()
				after, isDefragmented := one.Value.Get("after").Int()
				switch {
				case name == "compact" && (!isCompacted || revision < 5):
					t.Errorf("of %s was seen %v", one.Name, one.Value)
				case name == "defrag" && (!isDefragmented || round == 0 && after >= before):
					t.Errorf("of %s was seen %v", one.Name, one.Value)
				}
			}
			if len(seen) == 0 {
				t.Errorf("%s was done to nobody: %v", name, evidence)
			}
			if err := n.Fault.Heal(t.Context(), c); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWatchBehindACompaction(t *testing.T) {
	c := start(t, 1)
	conn, other := connect(t, c.Nodes[0].Public["client"]), connect(t, c.Nodes[0].Public["client"])
	for i := range 5 {
		if _, err := conn.Set(t.Context(), "x", i); err != nil {
			t.Fatal(err)
		}
	}
	evidence, err := compact(t.Context(), c.Nodes[0])
	if err != nil {
		t.Fatal(err)
	}
	revision, _ := evidence.Get("revision").Int()
	if _, err := conn.Set(t.Context(), "x", 9); err != nil {
		t.Fatal(err)
	}
	told, err := other.Watch(t.Context(), 1)
	want := fallacy.List(fallacy.List(fallacy.Int(revision), fallacy.Nil(), fallacy.String(checkers.Compacted)))
	if !told.Equal(want) || err != nil {
		t.Fatalf("a watch of what was discarded: got %v, %v, want %v", told, err, want)
	}
	var rest []fallacy.Value
	targettest.Eventually(t, "what is left", func(ctx context.Context) error {
		for range 2 {
			more, err := other.Watched(ctx)
			if err != nil {
				return err
			}
			events, _ := more.List()
			rest = append(rest, events...)
		}
		return nil
	})
	if len(rest) < 4 || !rest[0].Equal(fallacy.List(fallacy.Int(revision), fallacy.String("x"), fallacy.Int(4))) {
		t.Errorf("went on with %v, want the two keys of revision %d, and those after it", rest, revision)
	}
	if _, err := compact(t.Context(), c.Nodes[0]); err != nil {
		t.Error(err)
	}
	if again, err := compact(t.Context(), c.Nodes[0]); err == nil {
		t.Errorf("there is nothing left to discard, and yet %v", again)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	nowhere := fallacy.Node{Name: "n9", Public: map[string]string{"client": "127.0.0.1:1"}}
	for name, do := range (&target{}).Tasks() {
		if seen, err := do(ctx, nowhere); err == nil {
			t.Errorf("%s of a node that is not there: %v", name, seen)
		}
	}
}
