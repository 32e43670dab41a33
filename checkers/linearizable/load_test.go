package linearizable_test

import (
	"container/heap"
	"math/rand/v2"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/fallacy-dev/fallacy"
)

// load is what a long history is like: clients that are always busy, with calls of
// about a millisecond. Half of them read, three in ten write, the others cas from
// the value that the client saw last.
type load struct {
	calls, clients, keys int
	unknown              float64 // share of calls without an answer
	opaque               bool    // a refused cas does not tell what it saw
	stale                bool    // one read near the end is stale
}

// busy is a client in the middle of a call.
type busy struct {
	ends, applies time.Duration
	process       int
	key           int
	f             string
	arg           fallacy.Value
	out           fallacy.Value
	applied, fail bool
	lost          bool
	saw           []int // by key
}

type byTime []*busy

func (b byTime) Len() int      { return len(b) }
func (b byTime) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
func (b byTime) Less(i, j int) bool {
	return b[i].next() < b[j].next()
}
func (b *byTime) Push(x any) { *b = append(*b, x.(*busy)) }
func (b *byTime) Pop() any {
	last := (*b)[len(*b)-1]
	*b = (*b)[:len(*b)-1]
	return last
}

func (b *busy) next() time.Duration {
	if b.applied {
		return b.ends
	}
	return b.applies
}

type loading struct {
	load
	rng     *rand.Rand
	h       fallacy.History
	state   []int
	before  []int // the value before, by key
	written []int
	fresh   int
	begun   int
	spoiled bool
}

func (l load) history(seed uint64) fallacy.History {
	s := &loading{load: l, rng: rand.New(rand.NewPCG(seed, 1)), state: make([]int, l.keys), before: make([]int, l.keys), written: make([]int, l.keys), fresh: l.clients}
	s.h = make(fallacy.History, 0, 2*l.calls)
	var all byTime
	for p := range l.clients {
		b := &busy{process: p, saw: make([]int, l.keys)}
		s.begin(b, 0)
		all = append(all, b)
	}
	heap.Init(&all)
	for len(all) > 0 {
		b := all[0]
		now := b.next()
		if !b.applied {
			s.apply(b)
			heap.Fix(&all, 0)
			continue
		}
		s.complete(b, now)
		if s.begun == l.calls {
			heap.Pop(&all)
			continue
		}
		s.begin(b, now)
		heap.Fix(&all, 0)
	}
	return s.h
}

func (s *loading) record(b *busy, now time.Duration, t fallacy.Type, v fallacy.Value) {
	s.h = append(s.h, fallacy.Op{Index: len(s.h), Time: now, Process: b.process, Type: t, F: b.f, Value: fallacy.Tuple(fallacy.Int(b.key), v)})
}

func (s *loading) begin(b *busy, now time.Duration) {
	s.begun++
	b.applied, b.fail, b.key = false, false, s.rng.IntN(s.keys)
	switch n := s.rng.IntN(10); {
	case n < 5:
		b.f, b.arg = "read", fallacy.Nil()
	case n < 8 || b.saw[b.key] == 0:
		s.written[b.key]++
		b.f, b.arg = "write", fallacy.Int(s.written[b.key])
	default:
		s.written[b.key]++
		b.f, b.arg = "cas", fallacy.Ints(b.saw[b.key], s.written[b.key])
	}
	took := time.Duration(s.rng.ExpFloat64() * float64(time.Millisecond))
	b.applies = now + time.Duration(s.rng.Float64()*float64(took))
	b.ends = now + took
	b.lost = s.rng.Float64() < s.unknown
	s.record(b, now, fallacy.Invoke, b.arg)
}

func (s *loading) set(key, value int) { s.before[key], s.state[key] = s.state[key], value }

func (s *loading) apply(b *busy) {
	b.applied = true
	if b.lost && s.rng.IntN(2) == 0 {
		return
	}
	seen := fallacy.Int(s.state[b.key])
	if s.state[b.key] == 0 {
		seen = fallacy.Nil()
	}
	switch b.f {
	case "read":
		b.out = seen
		if s.stale && !s.spoiled && s.begun > s.calls*98/100 && s.before[b.key] > 0 {
			s.spoiled, b.out = true, fallacy.Int(1)
		}
		b.saw[b.key] = s.state[b.key]
	case "write":
		n, _ := b.arg.Int()
		s.set(b.key, n)
		b.out = b.arg
		b.saw[b.key] = n
	case "cas":
		ns, _ := b.arg.Ints()
		if b.fail = ns[0] != s.state[b.key]; b.fail {
			b.out = seen
			b.saw[b.key] = s.state[b.key]
			return
		}
		s.set(b.key, ns[1])
		b.out, b.saw[b.key] = b.arg, ns[1]
	}
}

func (s *loading) complete(b *busy, now time.Duration) {
	switch {
	case b.lost:
		s.record(b, now, fallacy.Info, b.arg)
		b.process = s.fresh
		s.fresh++
	case b.fail && s.opaque:
		s.record(b, now, fallacy.Fail, b.arg)
	case b.fail:
		s.record(b, now, fallacy.Fail, b.out)
	default:
		s.record(b, now, fallacy.OK, b.out)
	}
}

// intCall is a call as a model of Porcupine's that is written for speed has it.
type intCall struct {
	key           int
	f             byte
	arg, old, out int
	known, fail   bool
	seen          bool
}

// intModel is as fast as a model of Porcupine's can be: states and values are
// ints, keys are partitions, states are hashed.
var intModel = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		byKey := make(map[int][]porcupine.Operation)
		for _, o := range all {
			k := o.Input.(*intCall).key
			byKey[k] = append(byKey[k], o)
		}
		var parts [][]porcupine.Operation
		for _, p := range byKey {
			parts = append(parts, p)
		}
		return parts
	},
	Init: func() any { return 0 },
	Step: func(state, input, _ any) (bool, any) {
		c, was := input.(*intCall), state.(int)
		switch {
		case c.f == 'r':
			return !c.known || c.out == was, state
		case c.f == 'w':
			return true, c.arg
		case c.fail && c.seen:
			return c.out == was, state
		case c.fail:
			return c.old != was, state
		case c.old != was:
			return !c.known, state
		}
		return true, c.arg
	},
	Equal: func(a, b any) bool { return a.(int) == b.(int) },
	Hash:  func(s any) uint64 { return uint64(s.(int)) * 0x9e3779b97f4a7c15 },
}

// intOperations prepares a history for intModel, which is not to be counted
// against Porcupine. Reads of unknown outcome are left out.
func intOperations(h fallacy.History, opaque bool) []porcupine.Operation {
	var all []porcupine.Operation
	for c := range h.Calls() {
		key, in, _ := c.Invoke.Value.Tuple()
		k, _ := key.Int()
		call := &intCall{key: k, f: c.Invoke.F[0], known: c.Type() == fallacy.OK, fail: c.Type() == fallacy.Fail, seen: !opaque}
		end := int64(1) << 60
		if c.Type() != fallacy.Info {
			end = int64(c.Complete.Index)
			_, out, _ := c.Complete.Value.Tuple()
			call.out, _ = out.Int()
		} else if call.f == 'r' {
			continue
		}
		call.arg, _ = in.Int()
		if ns, ok := in.Ints(); ok && len(ns) == 2 {
			call.old, call.arg = ns[0], ns[1]
		}
		all = append(all, porcupine.Operation{ClientId: c.Invoke.Process, Input: call, Call: int64(c.Invoke.Index), Return: end})
	}
	return all
}
