package fallacytest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/targets/refstore"
)

// Fault fails t unless n's fault does what a fault has to, on three nodes of the
// bundled store or of the target that is given: an injection says what it did
// and can be verified; healing mends it, twice and on a healthy cluster as well;
// an injection that broke off half way is mended too; and a verification that
// fails is passed on. TestMain has to call [Main].
func Fault(t *testing.T, n fallacy.Nemesis, on ...fallacy.Target) {
	t.Helper()
	needMain(t, "fallacytest.Fault")
	if n.Fault == nil {
		t.Fatalf("the nemesis %q lacks its Fault", n.Name)
	}
	for _, p := range docProblems(n.Name, n.Doc) {
		t.Errorf("fault %s", p)
	}
	if n.Fallacy == "" {
		t.Errorf("fault %q does not say which Fallacy it punishes", n.Name)
	}
	target, err := targetOf(on)
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, target)
	c.ready(t)
	keeps := &keeping{Control: c.Control, imposed: make(map[string]map[string]fallacy.Condition)}
	c.Control = keeps
	heal := func(when string) {
		t.Helper()
		for _, again := range []string{"", ", a second time"} {
			if err := n.Fault.Heal(t.Context(), c.Cluster); err != nil {
				t.Fatalf("heal %s%s: %v", when, again, err)
			}
		}
		if len(keeps.imposed) > 0 {
			t.Fatalf("healed %s, the fault still imposes %+v", when, keeps.imposed)
		}
		if _, err := c.Verify(t.Context(), ""); err != nil {
			t.Fatalf("healed %s, and yet: %v", when, err)
		}
		c.ready(t)
	}
	heal("a healthy cluster")
	for seed := range uint64(rounds) {
		damage, err := n.Fault.Inject(t.Context(), fallacy.NewChance(seed).Rand(), c.Cluster)
		switch {
		case err != nil:
			t.Fatalf("inject with seed %d: %v", seed, err)
		case damage.IsNil():
			t.Errorf("inject with seed %d does not say what it did to whom", seed)
		}
		evidence, err := n.Fault.Verify(t.Context(), c.Cluster)
		switch {
		case err != nil:
			t.Errorf("%v is in force and cannot be verified: %v", damage, err)
		case evidence.IsNil():
			t.Errorf("%v is verified without a word of what was seen", damage)
		}
		heal("an injection")
	}
	c.halfInjected(t, n, heal)
}

// rounds is how often a fault is injected, each time with another seed.
const rounds = 3

func targetOf(on []fallacy.Target) (fallacy.Target, error) {
	if len(on) > 0 {
		return on[0], nil
	}
	return refstore.Kind.New(fallacy.TargetOptions{Nodes: clusterSize, Seed: 1})
}

// halfInjected breaks an injection off when it acts on the cluster, if it does.
func (c cluster) halfInjected(t *testing.T, n fallacy.Nemesis, heal func(when string)) {
	t.Helper()
	broken := &breaking{Control: c.Control}
	half := c.Cluster
	half.Control = broken
	_, err := n.Fault.Inject(t.Context(), fallacy.NewChance(rounds).Rand(), half)
	if broken.imposed && err == nil {
		t.Error("the nodes could not all be reached, and the injection does not say so")
	}
	if broken.imposed {
		if _, err := n.Fault.Verify(t.Context(), half); err == nil {
			t.Error("a cluster that is not as it should be is verified all the same: return the error of Control.Verify")
		}
	}
	heal("half an injection")
}

// keeping is a control that knows what is imposed.
type keeping struct {
	fallacy.Control
	imposed map[string]map[string]fallacy.Condition
}

// Impose imposes conditions, or nothing.
func (k *keeping) Impose(ctx context.Context, fault string, conditions map[string]fallacy.Condition) error {
	k.imposed[fault] = conditions
	if conditions == nil {
		delete(k.imposed, fault)
	}
	return k.Control.Impose(ctx, fault, conditions)
}

// errUnreachable is why an injection breaks off.
var errUnreachable = errors.New("fallacytest: the other nodes cannot be reached")

// breaking is a control that does half of what it is told, and says so.
type breaking struct {
	fallacy.Control
	imposed bool
}

// Impose imposes the condition of one node, if there is any.
func (b *breaking) Impose(ctx context.Context, fault string, conditions map[string]fallacy.Condition) error {
	if conditions == nil {
		return b.Control.Impose(ctx, fault, nil)
	}
	b.imposed = true
	for _, name := range slices.Sorted(maps.Keys(conditions))[:min(1, len(conditions))] {
		if err := b.Control.Impose(ctx, fault, map[string]fallacy.Condition{name: conditions[name]}); err != nil {
			return err
		}
	}
	return errUnreachable
}

// Verify sees that it is not as it should be.
func (b *breaking) Verify(context.Context, string) (fallacy.Value, error) {
	return fallacy.Nil(), errUnreachable
}
