package nemesis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fallacy-dev/fallacy"
)

func newMember(t *testing.T, name string) fallacy.Fault {
	t.Helper()
	n, err := New(name, Schedule{})
	if err != nil {
		t.Fatal(err)
	}
	return n.Fault
}

// Whatever is asked for, a majority of all nodes stays.
func TestMemberLeavesAMajority(t *testing.T) {
	for _, name := range []string{"member", "member:one", "member:minority", "member:n1+n2+n3+n4"} {
		for nodes := 3; nodes <= 7; nodes++ {
			if strings.Contains(name, "n4") && nodes < 4 {
				continue
			}
			for seed := range uint64(10) {
				_, c := clusterOf(nodes)
				first, second := newMember(t, name), newMember(t, name)
				target := c.Target.(*led)
				if _, err := first.Inject(t.Context(), fallacy.NewChance(seed).Rand(), c); err != nil {
					t.Fatal(err)
				}
				if len(target.gone) == 0 {
					t.Fatalf("%s: nobody was removed", name)
				}
				_, err := second.Inject(t.Context(), fallacy.NewChance(seed+99).Rand(), c)
				if left := nodes - len(target.gone); left < nodes/2+1 {
					t.Errorf("%s: of %d nodes %d are left", name, nodes, left)
				}
				if err != nil && !strings.Contains(err.Error(), "nobody can be removed: ") {
					t.Errorf("%s: %v", name, err)
				}
				for _, f := range []fallacy.Fault{first, second} {
					if err := f.Heal(t.Context(), c); err != nil {
						t.Error(err)
					}
				}
				if len(target.gone) > 0 {
					t.Errorf("%s: %v are not back", name, target.gone)
				}
			}
		}
	}
}

// A removal that was refused leaves the node alone; one of which nothing is known is
// an error too, and its heal brings the node back whether it was removed or not.
func TestMemberThatIsNotRemoved(t *testing.T) {
	for what, test := range map[string]struct {
		err            error
		lost, replaced bool
	}{
		"refused":             {err: fmt.Errorf("%w: no quorum", fallacy.ErrFailed)},
		"not known, not done": {err: errors.New("timed out"), replaced: true},
		"not known, and done": {err: errors.New("timed out"), lost: true, replaced: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			control, c := clusterOf(5)
			target := c.Target.(*led)
			target.refuse, target.lost = test.err, test.lost
			f := newMember(t, "member:n3")
			damage, err := f.Inject(t.Context(), fallacy.NewChance(1).Rand(), c)
			if !errors.Is(err, test.err) || !strings.Contains(err.Error(), "n3") {
				t.Errorf("%s: got %v, want the target's error, by the node's name", what, err)
			}
			if damage.IsNil() == test.replaced {
				t.Errorf("%s: the damage is %v", what, damage)
			}
			target.refuse = nil
			if err := f.Heal(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if got := slices.Equal(control.replaced, []string{"n3"}); got != test.replaced || len(target.gone) > 0 || len(control.imposed) > 0 {
				t.Errorf("%s: replaced %v, away %v, imposed %v", what, control.replaced, target.gone, control.imposed)
			}
		})
	}
}

// A node that is a member although it was removed is no verified injection.
func TestMemberVerifyNoticesAMember(t *testing.T) {
	_, c := clusterOf(3)
	f := newMember(t, "member:n2")
	if _, err := f.Inject(t.Context(), fallacy.NewChance(1).Rand(), c); err != nil {
		t.Fatal(err)
	}
	evidence, err := f.Verify(t.Context(), c)
	if got := evidence.Get("members").String(); err != nil || got != `["n1","n3"]` {
		t.Errorf("got members %s, %v", got, err)
	}
	clear(c.Target.(*led).gone)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Verify(ctx, c); err == nil || !strings.Contains(err.Error(), "n2 is a member") {
		t.Errorf("got %v", err)
	}
}

// A heal that is cut short says what is missing, and the next one goes on: a node that
// is a member already is only waited for.
func TestMemberHealGoesOn(t *testing.T) {
	control, c := clusterOf(3)
	target := c.Target.(*led)
	f := newMember(t, "member:n2")
	if _, err := f.Inject(t.Context(), fallacy.NewChance(1).Rand(), c); err != nil {
		t.Fatal(err)
	}
	target.down = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Heal(ctx, c); err == nil || !strings.Contains(err.Error(), "add n2 again: it was added, and has not started as a member") {
		t.Errorf("got %v", err)
	}
	target.down = false
	if err := f.Heal(t.Context(), c); err != nil {
		t.Error(err)
	}
	if len(control.replaced) != 1 {
		t.Errorf("it was replaced %d times", len(control.replaced))
	}
	// One that was added and got lost before it started begins anew.
	target.refuse = nil
	if _, err := f.Inject(t.Context(), fallacy.NewChance(1).Rand(), c); err != nil {
		t.Fatal(err)
	}
	target.down = true
	if err := f.Heal(ctx, c); err == nil {
		t.Error("healed, and it has not started")
	}
	target.down, target.gone["n2"] = false, true
	if err := f.Heal(t.Context(), c); err != nil || len(control.replaced) != 3 {
		t.Errorf("got %v, replaced %d times, want 3", err, len(control.replaced))
	}
}

func TestMemberNeedsATarget(t *testing.T) {
	_, c := clusterOf(3)
	c.Target = struct{ fallacy.Target }{}
	if _, err := newMember(t, "member").Inject(t.Context(), fallacy.NewChance(1).Rand(), c); err == nil || !strings.Contains(err.Error(), "cannot be removed") {
		t.Errorf("got %v", err)
	}
}
