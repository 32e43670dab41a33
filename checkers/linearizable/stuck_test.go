package linearizable_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

// fewCalls is a register's calls as the dumb way to order them has them.
type fewCalls struct {
	f          []string
	in, out    []fallacy.Value // of a refused cas: nil, what it saw
	begin, end []int
	must       []bool
	op         []int
	last       int // op
}

// fewCallsOf takes the calls up to the first answer that nothing explains.
func fewCallsOf(h fallacy.History) *fewCalls {
	last := 0
	for last = range h {
		if (h[last].Type == fallacy.OK || h[last].Type == fallacy.Fail) && ordersOf(h, last).impossible() {
			break
		}
	}
	return ordersOf(h, last)
}

// impossible tells whether no order has all calls that must happen.
func (c *fewCalls) impossible() bool {
	want := 0
	for _, must := range c.must {
		if must {
			want++
		}
	}
	return c.most(0, fallacy.Nil()) < want
}

// ordersOf takes the calls up to an op.
func ordersOf(h fallacy.History, last int) *fewCalls {
	few := &fewCalls{last: last}
	for c := range h.Calls() {
		if c.Invoke.Index > last {
			break
		}
		_, in, _ := c.Invoke.Value.Tuple()
		f, out, op, end, must := c.Invoke.F, fallacy.Nil(), c.Invoke.Index, math.MaxInt, false
		if c.Complete != nil {
			op = c.Complete.Index
			_, out, _ = c.Complete.Value.Tuple()
			if must = c.Type() != fallacy.Info && op <= last; must {
				end = op
			} else if c.Type() == fallacy.Fail {
				continue
			}
		}
		if !must && f == "read" {
			continue
		}
		if must && c.Type() == fallacy.Fail {
			f = "read"
		}
		few.f, few.in, few.out, few.op = append(few.f, f), append(few.in, in), append(few.out, out), append(few.op, op)
		few.begin, few.end, few.must = append(few.begin, c.Invoke.Index), append(few.end, end), append(few.must, must)
	}
	return few
}

// fits applies a call.
func (c *fewCalls) fits(state fallacy.Value, i int) (fallacy.Value, bool) {
	switch c.f[i] {
	case "read":
		return state, c.out[i].Equal(state)
	case "cas":
		from, to, _ := c.in[i].Tuple()
		return to, from.Equal(state)
	}
	return c.in[i], true
}

// may tells whether a call may come next in real time.
func (c *fewCalls) may(placed, i int) bool {
	if placed>>i&1 == 1 {
		return false
	}
	for j := range c.f {
		if placed>>j&1 == 0 && c.end[j] < c.begin[i] {
			return false
		}
	}
	return true
}

// most returns how many of the calls that must happen the longest order has.
func (c *fewCalls) most(placed int, state fallacy.Value) int {
	best := 0
	for i := range c.f {
		if !c.may(placed, i) {
			continue
		}
		if next, ok := c.fits(state, i); ok {
			n := c.most(placed|1<<i, next)
			if c.must[i] {
				n++
			}
			best = max(best, n)
		}
	}
	return best
}

// TestStuckIsTheLongestOrder compares with trying all orders, and holds what is
// said of each call against the history.
func TestStuckIsTheLongestOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	seen := 0
	for round := range *rounds {
		h := randomHistory(rng, shape{calls: 7, processes: 3, info: .15, repeat: round%2 == 0, refusals: "seen", wild: true})
		f := check(t, linearizable.Register(), h)
		if f.Verdict != fallacy.Invalid {
			continue
		}
		a := f.Anomalies[0]
		few := fewCallsOf(h)
		if !slices.Contains(a.Ops, few.last) {
			continue // too many calls would have to prove the first violation
		}
		if a.Stuck == nil || !a.Stuck.Whole || len(a.Stuck.Next) == 0 {
			t.Fatalf("%s\n%s\nstuck: %+v", text(h), a.Why, a.Stuck)
		}
		seen++
		placed, state, musts := 0, fallacy.Nil(), 0
		for _, p := range a.Stuck.Order {
			i := few.place(t, p.Op)
			next, ok := few.fits(state, i)
			if says := strings.ReplaceAll(next.String(), "null", "nothing"); !ok || !few.may(placed, i) || p.State != says {
				t.Fatalf("%s\n%s\nop %d cannot come next, or leaves %s: %+v", text(h), a.Why, p.Op, says, a.Stuck)
			}
			if state, placed = next, placed|1<<i; few.must[i] {
				musts++
			}
		}
		if want := few.most(0, fallacy.Nil()); musts != want {
			t.Fatalf("%s\n%s\nan order of %d of the calls that must happen, and there is one of %d: %+v", text(h), a.Why, musts, want, a.Stuck)
		}
		for _, p := range a.Stuck.Next {
			i := few.place(t, p.Op)
			if _, ok := few.fits(state, i); !few.may(placed, i) || ok != strings.HasPrefix(p.Why, "it may have happened") || ok && few.must[i] {
				t.Fatalf("%s\n%s\nof op %d it is said that %s: %+v", text(h), a.Why, p.Op, p.Why, a.Stuck)
			}
		}
	}
	if seen < *rounds/10 {
		t.Errorf("%d of %d histories were invalid: too few to tell anything", seen, *rounds)
	}
}

func (c *fewCalls) place(t *testing.T, op int) int {
	t.Helper()
	for i, at := range c.op {
		if at == op {
			return i
		}
	}
	t.Fatalf("op %d is not one that counts", op)
	return 0
}

// What is said of a register, of a queue by a model, and that it is bounded.
func TestStuckInWords(t *testing.T) {
	h, err := script.History("0 invoke write [\"x\", 1]\n0 ok write [\"x\", 1]\n0 invoke write [\"x\", 2]\n0 ok write [\"x\", 2]\n1 invoke read [\"x\", null]\n1 ok read [\"x\", 1]")
	if err != nil {
		t.Fatal(err)
	}
	s := check(t, linearizable.Register(), h).Anomalies[0].Stuck
	if len(s.Order) != 2 || s.From != "nothing" || s.Order[1] != (fallacy.Placed{Op: 3, State: "2"}) || s.Next[0] != (fallacy.Placed{Op: 5, Why: "it saw 1, and here is 2"}) || len(s.Next) != 1 || !s.Whole {
		t.Errorf("a stale read: %+v", s)
	}
	h, err = script.History("0 invoke enqueue 1\n0 ok enqueue 1\n0 invoke enqueue 2\n0 ok enqueue 2\n1 invoke dequeue null\n1 ok dequeue 2")
	if err != nil {
		t.Fatal(err)
	}
	s = check(t, linearizable.Check(linearizable.Queue), h).Anomalies[0].Stuck
	if len(s.Order) != 2 || s.Order[1].State != "[1,2]" || s.Next[0].Why != "it was answered 2, which cannot be where the state is [1,2]" {
		t.Errorf("a queue that is a stack: %+v", s)
	}
}

// Two hundred calls at once, none of which fits: what is told stays small, and
// the search ends.
func TestStuckIsBounded(t *testing.T) {
	var h fallacy.History
	add := func(process int, kind fallacy.Type, f string, v fallacy.Value) {
		h = append(h, fallacy.Op{Index: len(h), Time: time.Duration(len(h)), Process: process, Type: kind, F: f, Value: fallacy.Tuple(fallacy.String("x"), v)})
	}
	for i := range 100 {
		add(0, fallacy.Invoke, "write", fallacy.Int(i+1))
		add(0, fallacy.OK, "write", fallacy.Int(i+1))
	}
	for i := range 200 {
		add(i+1, fallacy.Invoke, "read", fallacy.Nil())
	}
	for i := range 200 {
		add(i+1, fallacy.OK, "read", fallacy.Int(i%50+1))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	f, err := linearizable.Register().Check(ctx, h)
	if err != nil || f.Verdict != fallacy.Invalid {
		t.Fatalf("got %v, %v", f.Verdict, err)
	}
	s := f.Anomalies[0].Stuck
	if s == nil || s.Earlier+len(s.Order) != 100 || len(s.Order) > 8 || len(s.Next) != 1 || !s.Whole {
		t.Errorf("got %+v", s)
	}
}
