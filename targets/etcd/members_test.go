package etcd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/internal/require"
	"github.com/fallacy-dev/fallacy/nemesis"
	"github.com/fallacy-dev/fallacy/targets/targettest"
)

// removal is the fault that a name asks for.
func removal(t *testing.T, name string) fallacy.Fault {
	t.Helper()
	n, err := nemesis.New(name, nemesis.Schedule{})
	if err != nil {
		t.Fatal(err)
	}
	return n.Fault
}

func inject(t *testing.T, f fallacy.Fault, c fallacy.Cluster) fallacy.Value {
	t.Helper()
	damage, err := f.Inject(t.Context(), fallacy.NewChance(1).Rand(), c)
	if err != nil {
		t.Fatal(err)
	}
	if seen, err := f.Verify(t.Context(), c); err != nil {
		t.Fatalf("%v: %v", seen, err)
	}
	return damage
}

// heals heals, wants all nodes to be members again, and the last write on each.
func heals(t *testing.T, f fallacy.Fault, c fallacy.Cluster, value int) {
	t.Helper()
	for range 2 {
		began := time.Now()
		if err := f.Heal(t.Context(), c); err != nil {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
		t.Logf("healed after %v", time.Since(began))
	}
	members, err := c.Target.(fallacy.Membership).Members(t.Context(), c.Nodes)
	if err != nil || !slices.Equal(members, c.Names()) {
		t.Errorf("members are %v, %v; want %v", members, err, c.Names())
	}
	for _, n := range c.Nodes {
		conn := connect(t, n.Public["client"])
		targettest.Eventually(t, n.Name+" has the data", func(ctx context.Context) error {
			got, _, err := conn.Read(ctx, "x")
			if err == nil && got != value {
				t.Fatalf("%s: x is %d, want %d", n.Name, got, value)
			}
			return err
		})
	}
}

func writes(t *testing.T, c fallacy.Cluster, node string, value int) {
	t.Helper()
	i := slices.Index(c.Names(), node)
	conn := connect(t, c.Nodes[i].Public["client"])
	targettest.Eventually(t, "a write", func(ctx context.Context) error { return conn.Write(ctx, "x", value) })
}

// memberID is the number by which the cluster knows a node; 0: it is no member.
func memberID(t *testing.T, c fallacy.Cluster, asked, of int) uint64 {
	t.Helper()
	list, err := listMembers(t.Context(), c.Nodes[asked])
	if err != nil {
		t.Fatal(err)
	}
	if m := c.Target.(*target).member(list, c.Nodes[of]); m != nil {
		return m.ID
	}
	return 0
}

func needEtcd(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("NOT TESTED: it takes a while")
	}
	require.Program(t, "etcd", "etcd")
}

// A node leaves, the others say so, and it comes back as another member with all data.
func TestMemberLeavesAndComesBack(t *testing.T) {
	needEtcd(t)
	c := start(t, 3)
	writes(t, c, "n1", 1)
	before := memberID(t, c, 0, 1)
	f := removal(t, "member:n2")
	if got := inject(t, f, c).String(); !strings.Contains(got, "n2") {
		t.Errorf("the damage is %s", got)
	}
	if id := memberID(t, c, 0, 1); id != 0 {
		t.Errorf("n2 is a member, %x, says n1", id)
	}
	writes(t, c, "n3", 2)
	heals(t, f, c, 2)
	if after := memberID(t, c, 0, 1); after == 0 || after == before {
		t.Errorf("n2 is member %x, and was %x: it was not added anew", after, before)
	}
	// What runs there now comes back after a kill as what it is.
	targettest.Impose(t, c, "kill", map[string]fallacy.Condition{"n2": {Process: fallacy.Killed}})
	writes(t, c, "n1", 3)
	targettest.Impose(t, c, "kill", nil)
	heals(t, f, c, 3)

	leader := removal(t, "member:leader")
	inject(t, leader, c)
	heals(t, leader, c, 3)
}

// failing is a control whose Replace or Impose fails.
type failing struct {
	fallacy.Control
	replace, impose bool
	refused         int // calls of Replace that failed for that
}

var errPlanted = errors.New("planted")

func (c *failing) Replace(ctx context.Context, node string, p fallacy.Process) error {
	if c.replace {
		c.refused++
		return errPlanted
	}
	return c.Control.Replace(ctx, node, p)
}

func (c *failing) Impose(ctx context.Context, fault string, conditions map[string]fallacy.Condition) error {
	if c.impose && conditions != nil {
		return errPlanted
	}
	return c.Control.Impose(ctx, fault, conditions)
}

// However far an injection or a heal had come, the next heal mends it.
func TestMemberHalfWay(t *testing.T) {
	needEtcd(t)
	c := start(t, 3)
	writes(t, c, "n1", 1)
	broken := &failing{Control: c.Control}
	half := c
	half.Control = broken

	// Removed and not ended.
	f := removal(t, "member:n2")
	broken.impose = true
	if _, err := f.Inject(t.Context(), fallacy.NewChance(1).Rand(), half); !errors.Is(err, errPlanted) {
		t.Fatalf("got %v", err)
	}
	broken.impose = false
	heals(t, f, c, 1)

	// Removed and ended, and its heal cut short: added or not, and not started.
	inject(t, f, c)
	broken.replace = true
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	err := f.Heal(ctx, half)
	cancel()
	// It goes on trying, so that its last word may be about another step of the same.
	if err == nil || broken.refused == 0 || !strings.Contains(err.Error(), "add n2 again") {
		t.Fatalf("got %v after %d failed starts", err, broken.refused)
	}
	heals(t, f, c, 1)

	// Added, and killed by another fault before it has started.
	inject(t, f, c)
	if err := c.Impose(t.Context(), "kill", map[string]fallacy.Condition{"n2": {Process: fallacy.Killed}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 8*time.Second)
	err = f.Heal(ctx, c)
	cancel()
	if err == nil || !strings.Contains(err.Error(), "it was added, and has not started as a member") {
		t.Fatalf("got %v", err)
	}
	targettest.Impose(t, c, "kill", nil)
	heals(t, f, c, 1)
}

// Where there is no majority nobody is removed, and the error says who was not.
func TestMemberWithoutQuorum(t *testing.T) {
	needEtcd(t)
	c := start(t, 3)
	writes(t, c, "n1", 1)
	targettest.Impose(t, c, "kill", map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}, "n2": {Process: fallacy.Killed}})
	for _, name := range []string{"n3", "n1"} {
		f := removal(t, "member:"+name)
		began := time.Now()
		if _, err := f.Inject(t.Context(), fallacy.NewChance(1).Rand(), c); err == nil {
			t.Errorf("%s was removed without a majority", name)
		} else {
			t.Logf("after %v: %v", time.Since(began), err)
		}
		defer heals(t, f, c, 1)
	}
	targettest.Impose(t, c, "kill", nil)
}
