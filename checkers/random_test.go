package checkers_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

var rounds = flag.Int("rounds", 1000, "random histories of each shape to compare with Porcupine")

// object is a simulated object: it makes up a call, and performs one. A call may
// be refused, with an error.
type object interface {
	ask(rng *rand.Rand) (f string, in fallacy.Value)
	do(f string, in fallacy.Value) (out fallacy.Value, refused string)
	madeUp(rng *rand.Rand, f string, in fallacy.Value) (out fallacy.Value, refused string)
}

type pending struct {
	process int
	f       string
	in, out fallacy.Value
	refused string
	applied bool
}

// shape says what random histories are like: how many answers get lost, and how
// many are made up.
type shape struct {
	calls      int
	info, wild float64
}

func randomHistory(rng *rand.Rand, o object, s shape) fallacy.History {
	var h fallacy.History
	record := func(p *pending, t fallacy.Type, v fallacy.Value, err string) {
		h = append(h, fallacy.Op{Index: len(h), Time: time.Duration(len(h)), Process: p.process, Type: t, F: p.f, Value: v, Error: err})
	}
	free, fresh := []int{0, 1, 2, 3}, 4
	var open []*pending
	apply := func(p *pending) {
		p.applied = true
		p.out, p.refused = o.do(p.f, p.in)
	}
	for n := s.calls; n > 0 || len(open) > 0; {
		if n > 0 && len(free) > 0 && (len(open) == 0 || rng.IntN(2) == 0) {
			p := &pending{process: free[0]}
			free, open = free[1:], append(open, p)
			if whose, ok := o.(interface{ askedBy(process int) }); ok {
				whose.askedBy(p.process)
			}
			p.f, p.in = o.ask(rng)
			record(p, fallacy.Invoke, p.in, "")
			n--
			continue
		}
		at := rng.IntN(len(open))
		p := open[at]
		if !p.applied && rng.IntN(2) == 0 {
			apply(p)
			continue
		}
		open = slices.Delete(open, at, at+1)
		if rng.Float64() < s.info {
			if rng.IntN(2) == 0 {
				record(p, fallacy.Info, p.in, "timeout")
			}
			free, fresh = append(free, fresh), fresh+1
			continue
		}
		if !p.applied {
			apply(p)
		}
		if rng.Float64() < s.wild {
			p.out, p.refused = o.madeUp(rng, p.f, p.in)
		}
		if p.refused != "" {
			record(p, fallacy.Fail, p.in, p.refused)
		} else {
			record(p, fallacy.OK, p.out, "")
		}
		free = append(free, p.process)
	}
	return h
}

// set is a grow-only set; of unit counters it is the size.
type set struct{ has []int }

func (s *set) ask(rng *rand.Rand) (string, fallacy.Value) {
	if rng.IntN(2) == 0 {
		return "read", fallacy.Nil()
	}
	return "add", fallacy.Int(100 + rng.IntN(1_000_000))
}

func (s *set) do(f string, in fallacy.Value) (fallacy.Value, string) {
	if n, ok := in.Int(); ok {
		s.has = append(s.has, n)
		return in, ""
	}
	return fallacy.Ints(s.has...), ""
}

func (s *set) madeUp(rng *rand.Rand, f string, in fallacy.Value) (fallacy.Value, string) {
	if f == "add" {
		return in, ""
	}
	some := []int{}
	for _, n := range s.has {
		if rng.IntN(3) > 0 {
			some = append(some, n)
		}
	}
	return fallacy.Ints(some...), ""
}

type counter struct{ n int }

func (c *counter) ask(rng *rand.Rand) (string, fallacy.Value) {
	if rng.IntN(2) == 0 {
		return "read", fallacy.Nil()
	}
	return "add", fallacy.Int(1)
}

func (c *counter) do(f string, in fallacy.Value) (fallacy.Value, string) {
	if f == "add" {
		c.n++
		return in, ""
	}
	return fallacy.Int(c.n), ""
}

func (c *counter) madeUp(rng *rand.Rand, f string, in fallacy.Value) (fallacy.Value, string) {
	if f == "add" {
		return in, ""
	}
	return fallacy.Int(max(0, c.n+rng.IntN(3)-1)), ""
}

type queue struct {
	waiting, gone []int
	next          int
	noEmpties     bool
}

func (q *queue) ask(rng *rand.Rand) (string, fallacy.Value) {
	if rng.IntN(2) == 0 {
		return "dequeue", fallacy.Nil()
	}
	q.next++
	return "enqueue", fallacy.Int(q.next)
}

func (q *queue) do(f string, in fallacy.Value) (fallacy.Value, string) {
	switch {
	case f == "enqueue":
		n, _ := in.Int()
		q.waiting = append(q.waiting, n)
		return in, ""
	case len(q.waiting) == 0 && q.noEmpties:
		return fallacy.Nil(), "no leader"
	case len(q.waiting) == 0:
		return fallacy.Nil(), "empty"
	}
	n := q.waiting[0]
	q.waiting = q.waiting[1:]
	q.gone = append(q.gone, n)
	return fallacy.Int(n), ""
}

func (q *queue) madeUp(rng *rand.Rand, f string, in fallacy.Value) (fallacy.Value, string) {
	switch {
	case f == "enqueue":
		return in, ""
	case rng.IntN(4) == 0:
		if q.noEmpties {
			return fallacy.Nil(), "no leader"
		}
		return fallacy.Nil(), "empty"
	}
	return fallacy.Int(1 + rng.IntN(q.next+1)), ""
}

// versionedRegister holds a value with a version, under key 1.
type versionedRegister struct {
	version, value, next int
}

func (r *versionedRegister) ask(rng *rand.Rand) (string, fallacy.Value) {
	r.next++
	f, arg := "read", fallacy.Nil()
	switch rng.IntN(4) {
	case 0:
		f, arg = "write", fallacy.Int(r.next)
	case 1:
		f, arg = "cas", fallacy.Ints(max(r.value, 1), r.next)
	}
	return f, fallacy.Tuple(fallacy.Int(1), arg)
}

func (r *versionedRegister) seen() fallacy.Value {
	value := fallacy.Int(r.value)
	if r.version == 0 {
		value = fallacy.Nil()
	}
	return fallacy.Tuple(fallacy.Int(r.version), value)
}

func (r *versionedRegister) do(f string, in fallacy.Value) (fallacy.Value, string) {
	_, arg, _ := in.Tuple()
	if f == "read" {
		return fallacy.Tuple(fallacy.Int(1), r.seen()), ""
	}
	n, _ := arg.Int()
	if from, to, ok := arg.Tuple(); ok {
		if old, _ := from.Int(); old != r.value || r.version == 0 {
			return fallacy.Nil(), "refused"
		}
		n, _ = to.Int()
	}
	r.version++
	r.value = n
	return fallacy.Tuple(fallacy.Int(1), fallacy.Tuple(fallacy.Int(r.version), arg)), ""
}

func (r *versionedRegister) madeUp(rng *rand.Rand, f string, in fallacy.Value) (fallacy.Value, string) {
	_, arg, _ := in.Tuple()
	was := *r
	r.version = max(0, r.version+rng.IntN(3)-1)
	if rng.IntN(2) == 0 {
		r.value = rng.IntN(r.next + 1)
	}
	out := r.seen()
	if f != "read" {
		out = fallacy.Tuple(fallacy.Int(max(1, r.version)), arg)
	}
	*r = was
	return fallacy.Tuple(fallacy.Int(1), out), ""
}

// versionedModel is a register with a version that counts its writes.
var versionedModel = linearizable.Model{
	Name: "versioned", Keyed: true, Init: fallacy.Tuple(fallacy.Int(0), fallacy.Nil()),
	Step: func(state fallacy.Value, a linearizable.Action) (fallacy.Value, bool) {
		version, value, _ := state.Tuple()
		n, _ := version.Int()
		next := fallacy.Int(n + 1)
		outVersion, _, _ := a.Out.Tuple()
		right := !a.Known() || outVersion.Equal(next)
		switch a.F {
		case "read":
			return state, !a.Known() || a.Out.Equal(state)
		case "write":
			return fallacy.Tuple(next, a.In), right
		}
		from, to, _ := a.In.Tuple()
		return fallacy.Tuple(next, to), right && from.Equal(value)
	},
}

// elements is a set of few elements, with add, remove and contains.
type elements struct {
	has        [3]bool
	adds, cuts [3]int
	most       int
}

func (s *elements) ask(rng *rand.Rand) (string, fallacy.Value) {
	e := rng.IntN(3)
	f := []string{"add", "remove", "contains", "contains"}[rng.IntN(4)]
	if f == "add" {
		s.adds[e]++
	}
	if f == "remove" {
		s.cuts[e]++
	}
	if s.adds[e] > s.most && f == "add" || s.cuts[e] > s.most && f == "remove" {
		f = "contains"
	}
	return f, fallacy.Tuple(fallacy.Int(e), fallacy.Nil())
}

func (s *elements) do(f string, in fallacy.Value) (fallacy.Value, string) {
	key, _, _ := in.Tuple()
	e, _ := key.Int()
	if f != "contains" {
		s.has[e] = f == "add"
	}
	return fallacy.Tuple(key, fallacy.Bool(s.has[e])), ""
}

func (s *elements) madeUp(rng *rand.Rand, f string, in fallacy.Value) (fallacy.Value, string) {
	key, _, _ := in.Tuple()
	return fallacy.Tuple(key, fallacy.Bool(rng.IntN(2) == 0)), ""
}

// mutex is a lock, with tokens or without. Who asks is the value.
type mutex struct {
	asking, holder, token int // holder 0: nobody; else the process, plus one
	tokens                bool
	wants                 map[int]bool // to release next
}

func (m *mutex) askedBy(process int) { m.asking = process }

func (m *mutex) ask(rng *rand.Rand) (string, fallacy.Value) {
	who := fallacy.Int(m.asking)
	if m.wants[m.asking] && rng.IntN(8) > 0 {
		m.wants[m.asking] = false
		return "release", fallacy.Tuple(who, fallacy.Nil())
	}
	return "acquire", fallacy.Tuple(who, fallacy.Nil())
}

func (m *mutex) do(f string, in fallacy.Value) (fallacy.Value, string) {
	who, _, _ := in.Tuple()
	process, _ := who.Int()
	switch {
	case f == "acquire" && m.holder != 0:
		return fallacy.Nil(), "held"
	case f == "acquire":
		m.holder = process + 1
		return m.granted(who, process), ""
	case m.holder == process+1:
		m.holder = 0
		return in, ""
	}
	return fallacy.Nil(), "not yours"
}

func (m *mutex) granted(who fallacy.Value, process int) fallacy.Value {
	m.wants[process] = true
	m.token++
	if m.tokens {
		return fallacy.Tuple(who, fallacy.Int(m.token))
	}
	return fallacy.Tuple(who, fallacy.Nil())
}

func (m *mutex) madeUp(rng *rand.Rand, f string, in fallacy.Value) (fallacy.Value, string) {
	who, _, _ := in.Tuple()
	process, _ := who.Int()
	if f == "release" {
		return in, ""
	}
	if rng.IntN(2) == 0 {
		return fallacy.Nil(), "held"
	}
	was := m.token
	m.token = max(0, m.token+rng.IntN(3)-2)
	out := m.granted(who, process)
	m.token = was
	return out, ""
}

// mutexModel knows who holds the lock and the last token. Refused releases are
// left out, and of acquires that failed all were refused.
var mutexModel = linearizable.Model{
	Name: "mutex with tokens", Refusals: true, Init: fallacy.Ints(-1, 0),
	Step: func(state fallacy.Value, a linearizable.Action) (fallacy.Value, bool) {
		ns, _ := state.Ints()
		who, _, _ := a.In.Tuple()
		process, _ := who.Int()
		switch {
		case a.Type == fallacy.Fail:
			return state, a.F == "release" || ns[0] >= 0
		case a.F == "release":
			return fallacy.Ints(-1, ns[1]), ns[0] == process
		}
		_, out, _ := a.Out.Tuple()
		token, has := out.Int()
		if !has {
			token = ns[1]
		}
		return fallacy.Ints(process, token), ns[0] < 0 && (!has || token > ns[1])
	},
}

// queueModel is a FIFO queue to which only a dequeue that says "empty" is an answer.
func queueModel(emptiesCount bool) linearizable.Model {
	m := linearizable.Queue
	m.Refusals = emptiesCount
	return m
}

// TestObjectsAgreeWithPorcupine compares verdicts. Where misses are allowed, the
// checker is not exact, but never accuses falsely.
func TestObjectsAgreeWithPorcupine(t *testing.T) {
	for name, s := range map[string]struct {
		shape
		object  func() object
		checker *fallacy.Checker
		model   linearizable.Model
		misses  bool
	}{
		"set":                     {shape{9, 0.1, 0.1}, func() object { return new(set) }, checkers.Set(), linearizable.Set, false},
		"counter":                 {shape{10, 0.1, 0.15}, func() object { return new(counter) }, checkers.Counter(), linearizable.Counter, false},
		"queue with empties":      {shape{10, 0, 0.1}, func() object { return new(queue) }, checkers.Queue(), queueModel(true), false},
		"queue with crashes":      {shape{10, 0.15, 0.1}, func() object { return &queue{noEmpties: true} }, checkers.Queue(), queueModel(false), false},
		"queue with both":         {shape{10, 0.15, 0.1}, func() object { return new(queue) }, checkers.Queue(), queueModel(true), false},
		"versions":                {shape{9, 0, 0.1}, func() object { return new(versionedRegister) }, linearizable.Versioned(true), versionedModel, false},
		"versions, some unknown":  {shape{9, 0.15, 0.08}, func() object { return new(versionedRegister) }, linearizable.Versioned(true), versionedModel, true},
		"elements once":           {shape{12, 0.1, 0.1}, func() object { return &elements{most: 1} }, linearizable.Elements(), linearizable.ElementModel, false},
		"elements often":          {shape{12, 0.1, 0.1}, func() object { return &elements{most: 4} }, linearizable.Elements(), linearizable.ElementModel, false},
		"mutex":                   {shape{9, 0.1, 0.05}, func() object { return &mutex{wants: map[int]bool{}} }, checkers.Mutex(), mutexModel, false},
		"mutex with tokens":       {shape{9, 0.1, 0.05}, func() object { return &mutex{wants: map[int]bool{}, tokens: true} }, checkers.Mutex(), mutexModel, false},
		"queue without a mistake": {shape{12, 0.15, 0}, func() object { return new(queue) }, checkers.Queue(), queueModel(true), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(3, uint64(len(name))))
			oracle := linearizable.ByPorcupine(s.model)
			count := make(map[fallacy.Verdict]int)
			missed := 0
			for range *rounds {
				h := randomHistory(rng, s.object(), s.shape)
				got, err := s.checker.Check(context.Background(), h)
				if err != nil {
					t.Fatalf("%v\n%s", err, text(h))
				}
				if got.Verdict == fallacy.Unknown {
					continue
				}
				want, err := oracle.Check(context.Background(), h)
				if err != nil {
					t.Fatalf("%v\n%s", err, text(h))
				}
				count[want.Verdict]++
				switch {
				case want.Verdict == fallacy.Unknown: // all calls failed, which this model leaves out
				case want.Verdict == got.Verdict:
				case s.misses && got.Verdict == fallacy.Valid:
					missed++
				default:
					t.Fatalf("got %v, want %v: %v\n%s", got.Verdict, want.Verdict, got.Anomalies, text(h))
				}
			}
			t.Logf("%d legal, %d illegal, of these %d missed", count[fallacy.Valid], count[fallacy.Invalid], missed)
		})
	}
}

func text(h fallacy.History) string {
	var b strings.Builder
	for _, op := range h {
		fmt.Fprintln(&b, op.Index, op)
	}
	return b.String()
}
