package nemesis

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fallacy-dev/fallacy"
)

// kept is a target with an administrator, who cannot reach some of the nodes.
type kept struct {
	led
	away []string
	done []string // by node, in order
}

func (k *kept) Tasks() map[string]fallacy.Task {
	do := func(_ context.Context, n fallacy.Node) (fallacy.Value, error) {
		if slices.Contains(k.away, n.Name) {
			return fallacy.Nil(), errors.New("it is down")
		}
		k.done = append(k.done, n.Name)
		return fallacy.String("done"), nil
	}
	return map[string]fallacy.Task{"compact": do, "defrag": do}
}

func keptCluster(nodes int, away ...string) (*kept, fallacy.Cluster) {
	target := &kept{away: away}
	_, c := clusterOf(nodes)
	c.Target = target
	return target, c
}

func nemesisOf(t *testing.T, name string) fallacy.Nemesis {
	t.Helper()
	n, err := New(name, Schedule{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTasksAreDone(t *testing.T) {
	for name, most := range map[string]int{"compact": 1, "compact:leader": 1, "defrag": 5, "defrag:one": 1, "defrag:n1+n3": 2, "defrag:all": 5} {
		n := nemesisOf(t, name)
		for seed := range uint64(20) {
			target, c := keptCluster(5)
			damage, err := n.Fault.Inject(t.Context(), fallacy.NewChance(seed).Rand(), c)
			if err != nil || len(target.done) == 0 || len(target.done) > most {
				t.Fatalf("%s with seed %d: done to %v, %v", name, seed, target.done, err)
			}
			family, _, _ := strings.Cut(name, ":")
			evidence, err := n.Fault.Verify(t.Context(), c)
			for _, node := range target.done {
				if does, _ := damage.Get(node).Get("task").Str(); does != family {
					t.Errorf("%s: the damage to %s is %v", name, node, damage)
				}
				if evidence.Get(family).Get(node).IsNil() || err != nil {
					t.Errorf("%s: of %s was seen %v, %v", name, node, evidence, err)
				}
			}
			for range 2 {
				if err := n.Fault.Heal(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			if evidence, err := n.Fault.Verify(t.Context(), c); err == nil {
				t.Errorf("%s is over, and is verified all the same: %v", name, evidence)
			}
		}
	}
}

// What nobody did is no fault, and what some did is one.
func TestTasksThatCannotBeDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { cannotBeDone(t) }) // in which waiting takes no time
}

func cannotBeDone(t *testing.T) {
	n := nemesisOf(t, "defrag:all")
	_, c := keptCluster(3, "n1", "n2", "n3")
	if _, err := n.Fault.Inject(t.Context(), fallacy.NewChance(1).Rand(), c); err == nil || !strings.Contains(err.Error(), "n2: it is down") {
		t.Errorf("got %v, want which nodes did not do it", err)
	}
	if evidence, err := n.Fault.Verify(t.Context(), c); err == nil {
		t.Errorf("nobody did it, and it is verified: %v", evidence)
	}
	if err := n.Fault.Heal(t.Context(), c); err != nil {
		t.Error(err)
	}
	_, c = keptCluster(3, "n2")
	if _, err := n.Fault.Inject(t.Context(), fallacy.NewChance(1).Rand(), c); err != nil {
		t.Error(err)
	}
	evidence, err := n.Fault.Verify(t.Context(), c)
	if lack, _ := evidence.Get("defrag").Get("n2").Str(); err != nil || lack != "not done: n2: it is down" {
		t.Errorf("got %v, %v", evidence, err)
	}
	one := nemesisOf(t, "compact")
	_, c = keptCluster(2, "n1")
	found := 0
	for seed := range uint64(10) {
		if _, err := one.Fault.Inject(t.Context(), fallacy.NewChance(seed).Rand(), c); err == nil {
			found++
		}
	}
	if found < 7 {
		t.Errorf("of 10 injections %d found the node that can, want nearly all, by trying again", found)
	}
	_, c = clusterOf(3)
	if _, err := one.Fault.Inject(t.Context(), fallacy.NewChance(1).Rand(), c); err == nil || !strings.Contains(err.Error(), `no task "compact"`) {
		t.Errorf("a target without an administrator: got %v", err)
	}
}

func TestTasksArePlanned(t *testing.T) {
	n := nemesisOf(t, "defrag:minority")
	target, c := keptCluster(5)
	damage, err := n.Fault.Inject(t.Context(), fallacy.NewChance(3).Rand(), c)
	if err != nil {
		t.Fatal(err)
	}
	op := fallacy.Op{Process: fallacy.NemesisProcess, Nemesis: n.Name, F: "inject"}
	done := op
	done.Type, done.Value = fallacy.Info, fallacy.Object(fallacy.Field{Name: "damage", Value: damage})
	plan, err := PlanOf(fallacy.History{op, done}, 7, 10)
	if err != nil {
		t.Fatal(err)
	}
	again, err := plan.Nemeses()
	if err != nil || len(again) != 1 || !slices.Contains(again[0].Needs, fallacy.NeedDefrag) {
		t.Fatalf("got %+v, %v", again, err)
	}
	other, c := keptCluster(5)
	if _, err := again[0].Fault.Inject(t.Context(), fallacy.NewChance(99).Rand(), c); err != nil || !slices.Equal(other.done, target.done) {
		t.Errorf("got %v, %v, want %v", other.done, err, target.done)
	}
}
