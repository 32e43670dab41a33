package nemesis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/generator"
)

// cluster is a control that remembers what is imposed, and what was replaced, and
// can be made to fail.
type cluster struct {
	imposed  map[string]Conditions
	replaced []string
	fail     error
}

func (c *cluster) Replace(_ context.Context, node string, _ fallacy.Process) error {
	c.replaced = append(c.replaced, node)
	return nil
}

func (c *cluster) Impose(_ context.Context, fault string, conditions map[string]fallacy.Condition) error {
	if c.fail != nil && conditions != nil {
		for n, cond := range conditions { // half of it
			c.imposed[fault] = Conditions{n: cond}
			break
		}
		return c.fail
	}
	if conditions == nil {
		delete(c.imposed, fault)
		return nil
	}
	c.imposed[fault] = conditions
	return nil
}

func (c *cluster) Verify(_ context.Context, fault string) (fallacy.Value, error) {
	return fallacy.Int(len(c.imposed[fault])), nil
}

// led is a target whose second node leads, and whose members can be removed.
type led struct {
	fallacy.Target
	gone   map[string]bool
	added  map[string]bool
	refuse error // what Leave says
	lost   bool  // Leave does what it says it has not
	down   bool  // who is added does not start
}

func (l *led) Members(_ context.Context, cluster []fallacy.Node) (names []string, err error) {
	for _, n := range cluster {
		if !l.gone[n.Name] && !(l.down && l.added[n.Name]) {
			names = append(names, n.Name)
		}
	}
	return names, nil
}

func (l *led) Leave(_ context.Context, n fallacy.Node, _ []fallacy.Node) error {
	if l.refuse == nil || l.lost {
		l.gone[n.Name] = true
	}
	return l.refuse
}

func (l *led) Join(_ context.Context, n fallacy.Node, _ []fallacy.Node) (fallacy.Process, error) {
	if !l.gone[n.Name] {
		return fallacy.Process{}, errors.New("it is a member")
	}
	delete(l.gone, n.Name)
	l.added[n.Name] = true
	return fallacy.Process{}, nil
}

func (*led) Primaries(_ context.Context, cluster []fallacy.Node) ([]string, error) {
	return []string{cluster[min(1, len(cluster)-1)].Name}, nil
}

func clusterOf(n int) (*cluster, fallacy.Cluster) {
	control := &cluster{imposed: make(map[string]Conditions)}
	c := fallacy.Cluster{Control: control, Target: &led{gone: make(map[string]bool), added: make(map[string]bool)}}
	for i := range n {
		c.Nodes = append(c.Nodes, fallacy.Node{Name: fmt.Sprintf("n%d", i+1)})
	}
	return control, c
}

// imposedNames are the faults that impose something, and not tasks of an administrator's.
func imposedNames() (names []string) {
	for _, f := range Families() {
		if !slices.Contains(f.Needs, fallacy.NeedCompact) && !slices.Contains(f.Needs, fallacy.NeedDefrag) {
			names = append(names, f.names()...)
		}
	}
	return names
}

func TestEveryFaultInjectsAndHeals(t *testing.T) {
	for _, name := range append(imposedNames(), "kill:n1+n3", "pause:n2", "clock:freeze:leader", "clock:step:n1", "delay:n5") {
		t.Run(name, func(t *testing.T) {
			n, err := New(name, Schedule{})
			if err != nil {
				t.Fatal(err)
			}
			for seed := range uint64(20) {
				control, c := clusterOf(5)
				rng := fallacy.NewChance(seed).Rand()
				damage, err := n.Fault.Inject(t.Context(), rng, c)
				if err != nil {
					t.Fatal(err)
				}
				conditions := control.imposed[name]
				if !harmful(conditions) || damage.IsNil() {
					t.Fatalf("seed %d: %v does no harm; damage %v", seed, conditions, damage)
				}
				if evidence, err := n.Fault.Verify(t.Context(), c); err != nil || evidence.IsNil() {
					t.Errorf("verify: %v, %v", evidence, err)
				}
				for range 2 {
					if err := n.Fault.Heal(t.Context(), c); err != nil || len(control.imposed) > 0 {
						t.Fatalf("heal: %v, left %v", err, control.imposed)
					}
				}
				control.fail = errors.New("n2 is unreachable")
				if _, err := n.Fault.Inject(t.Context(), rng, c); !errors.Is(err, control.fail) {
					t.Errorf("half an injection: got %v", err)
				}
				if err := n.Fault.Heal(t.Context(), c); err != nil || len(control.imposed) > 0 {
					t.Errorf("heal after half an injection: %v, left %v", err, control.imposed)
				}
			}
		})
	}
}

func harmful(c Conditions) bool {
	for _, cond := range c {
		if cond.Process != fallacy.Running || cond.Clock != (fallacy.Skew{}) {
			return true
		}
		for _, l := range cond.Links {
			if l != (fallacy.Link{}) {
				return true
			}
		}
	}
	return false
}

func TestFaultsByLeader(t *testing.T) {
	for name, want := range map[string][]string{"kill:leader": {"n2"}, "pause:follower": {"n1", "n3", "n4", "n5"}, "clock:freeze:leader": {"n2"}} {
		n, err := New(name, Schedule{})
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(10) {
			control, c := clusterOf(5)
			if _, err := n.Fault.Inject(t.Context(), fallacy.NewChance(seed).Rand(), c); err != nil {
				t.Fatal(err)
			}
			for node := range control.imposed[name] {
				if !slices.Contains(want, node) {
					t.Errorf("%s hits %s, want one of %v", name, node, want)
				}
			}
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, name := range []string{"", "loss", "partition:squares", "kill:leader:n1", "partition:halves:n1", "clock:freeze:leader:n1", "clock:n1", "kill:everybody"} {
		var unknown *UnknownError
		if _, err := New(name, Schedule{}); !errors.As(err, &unknown) {
			t.Errorf("%q: got %v, want that it is unknown", name, err)
		}
	}
	n, err := New("kill:n9", Schedule{})
	if err != nil {
		t.Fatal(err)
	}
	_, c := clusterOf(3)
	if _, err := n.Fault.Inject(t.Context(), fallacy.NewChance(1).Rand(), c); err == nil || !strings.Contains(err.Error(), `no node "n9"`) {
		t.Errorf("got %v", err)
	}
}

// A node alone can be cut off from clients, and from nobody else.
func TestPartitionOfOne(t *testing.T) {
	for _, name := range []string{"partition", "partition:clients"} {
		n, err := New(name, Schedule{})
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(20) {
			control, c := clusterOf(1)
			if _, err := n.Fault.Inject(t.Context(), fallacy.NewChance(seed).Rand(), c); err != nil {
				t.Fatal(err)
			}
			there, back := control.imposed[name][fallacy.Clients].Links["n1"], control.imposed[name]["n1"].Links[fallacy.Clients]
			if !there.Cut && !back.Cut || len(control.imposed[name]) > 2 {
				t.Errorf("%s with seed %d: %v", name, seed, control.imposed[name])
			}
		}
	}
	for name, want := range map[string]int{"partition": 1, "partition:clients": 1, "partition:halves": 2, "partition:bridge": 3, "partition:ring": 4, "partition:leader": 2, "kill": 1, "nothing": 1} {
		if got := FewestNodes(name); got != want {
			t.Errorf("%s makes sense with %d nodes, want %d", name, got, want)
		}
	}
}

func TestSkewsStayInBounds(t *testing.T) {
	rng := fallacy.NewChance(5).Rand()
	back, forth := 0, 0
	for range 1000 {
		for _, w := range wrongnesses() {
			s := w.skew(rng)
			if s == (fallacy.Skew{}) || s.Offset.Abs().Minutes() > 5 || s.Drift > 500_000 || s.Drift < -500_000 {
				t.Fatalf("%s: %+v", w.name, s)
			}
			if s.Offset < 0 {
				back++
			} else if s.Offset > 0 {
				forth++
			}
		}
	}
	if back < 800 || forth < 800 {
		t.Errorf("%d steps back and %d forth of 2000", back, forth)
	}
}

func run(s Schedule, seed uint64) fallacy.History {
	return generator.Simulate(generator.OnNemesis("f", s.Generator()), generator.World{
		Workers: 1, Nemeses: []string{"f"}, Seed: seed, MaxOps: 40, Answer: generator.Perfect,
	})
}

func TestScheduleTakesTurnsInTime(t *testing.T) {
	s := Schedule{Quiet: 1000, Fault: 100}
	want := "inject"
	var last fallacy.Op
	for _, op := range run(s, 1) {
		if op.Type != fallacy.Invoke {
			continue
		}
		mean := map[string]int64{"inject": 1000, "heal": 100}[op.F]
		if gap := int64(op.Time - last.Time); op.F != want || gap < mean/2-50 || gap > mean*3/2+50 {
			t.Fatalf("%v after %v", op, last)
		}
		want = map[string]string{"inject": "heal", "heal": "inject"}[want]
		last = op
	}
}

func TestFaultThatComesLateStays(t *testing.T) {
	s := Schedule{Quiet: 1000, Fault: 300}
	h := generator.Simulate(generator.OnNemesis("f", s.Generator()), generator.World{
		Workers: 1, Nemeses: []string{"f"}, Seed: 1, MaxOps: 40, Answer: generator.Perfect, Latency: 600,
	})
	var injected fallacy.Op
	for _, op := range h {
		if op.F == "inject" && op.Type == fallacy.Info {
			injected = op
		}
		if op.F == "heal" && op.Type == fallacy.Invoke && op.Time-injected.Time < 100 {
			t.Fatalf("what came into force at %v is healed at %v", injected.Time, op.Time)
		}
	}
	if injected.F == "" {
		t.Fatal("nothing was injected")
	}
}

func TestPlanRunsAgain(t *testing.T) {
	n, err := New("kill:minority", Schedule{})
	if err != nil {
		t.Fatal(err)
	}
	var h fallacy.History
	var want []Conditions
	for i := range 3 {
		control, c := clusterOf(5)
		damage, err := n.Fault.Inject(t.Context(), fallacy.NewChance(uint64(i)).Rand(), c)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, control.imposed[n.Name])
		op := fallacy.Op{Process: fallacy.NemesisProcess, Nemesis: n.Name, F: "inject"}
		done := op
		done.Type, done.Value = fallacy.Info, fallacy.Object(fallacy.Field{Name: "damage", Value: damage})
		h = append(h, op, done)
	}
	plan, err := PlanOf(h, 7, 10)
	if err != nil {
		t.Fatal(err)
	}
	again, err := plan.Nemeses()
	if err != nil || len(again) != 1 || again[0].Name != n.Name {
		t.Fatalf("got %v, %v", again, err)
	}
	for i := range 3 {
		control, c := clusterOf(5)
		if _, err := again[0].Fault.Inject(t.Context(), fallacy.NewChance(99).Rand(), c); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(control.imposed[n.Name]); got != fmt.Sprint(want[i]) {
			t.Errorf("injection %d: got %s, want %v", i, got, want[i])
		}
	}
}

func TestDocs(t *testing.T) {
	for _, f := range Families() {
		title, rest, _ := strings.Cut(f.Doc, "\n\n")
		if title == "" || rest == "" || strings.HasSuffix(title, ".") || f.Fallacy == "" || len(f.Variants) == 0 {
			t.Errorf("%s: Doc wants a title without a full stop and a manual page, a fallacy and variants", f.Name)
		}
	}
}
