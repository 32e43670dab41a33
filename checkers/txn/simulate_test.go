package txn_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// level is what a simulated store keeps.
type level int

const (
	serial   level = iota // transactions happen at once, between invocation and completion
	snapshot              // snapshot isolation: the first to commit wins
	prefix                // each reads an older snapshot, and writes over what it did not see
)

// simulation is a store of lists or registers with clients, as Elle's measurements
// have it: ten keys in use, of which some are taken more often, a key replaced
// after a few dozen writes, 3 to 5 micro-ops of which half are reads, a hundredth
// of outcomes not known and two failed.
type simulation struct {
	level     level
	registers bool
	clients   int
	n         int // transactions
	short     bool
	stale     int // how many commits an older snapshot is behind, at most

	rng     *rand.Rand
	keys    []int         // in use
	left    []int         // writes until each is replaced
	next    int           // key
	element map[int]int   // the last one written, by key
	past    map[int][]was // what each key was, by commit
	now     int           // commits so far
	process int           // the next fresh one
	history fallacy.History
}

// was is a key's value from some commit on.
type was struct {
	since int
	list  []fallacy.Value
}

// running is a transaction on its way.
type attempt struct {
	process  int
	asked    []fallacy.MicroOp
	done     []fallacy.MicroOp
	since    int
	conflict bool
}

func (s simulation) run(seed uint64) fallacy.History {
	s.rng = rand.New(rand.NewPCG(seed, 1))
	s.element, s.past = make(map[int]int), make(map[int][]was)
	for range 10 {
		s.keys, s.left = append(s.keys, s.next), append(s.left, s.writes())
		s.next++
	}
	s.history = make(fallacy.History, 0, 2*s.n)
	free := make([]int, s.clients)
	for i := range free {
		free[i] = i
	}
	s.process = s.clients
	var open []*attempt
	for s.n > 0 || len(open) > 0 {
		if s.n > 0 && len(free) > 0 && (len(open) == 0 || s.rng.IntN(2) == 0) {
			a := &attempt{process: free[len(free)-1], asked: s.ask(), since: s.now}
			if s.level == prefix && s.rng.IntN(4) == 0 {
				a.since = max(0, s.now-s.rng.IntN(max(20, s.stale)))
			}
			free, open = free[:len(free)-1], append(open, a)
			s.record(a.process, fallacy.Invoke, a.asked)
			s.n--
			continue
		}
		at := s.rng.IntN(len(open))
		a := open[at]
		if a.done == nil {
			s.commit(a)
			continue
		}
		open = slices.Delete(open, at, at+1)
		free = append(free, s.complete(a))
	}
	return s.history
}

// complete answers an attempt, and returns the process that is free then.
func (s *simulation) complete(a *attempt) int {
	switch {
	case a.conflict:
		s.record(a.process, fallacy.Fail, a.asked)
	case s.rng.IntN(100) == 0:
		s.record(a.process, fallacy.Info, a.asked)
		s.process++
		return s.process - 1
	default:
		s.record(a.process, fallacy.OK, a.done)
	}
	return a.process
}

func (s *simulation) writes() int {
	if s.short {
		return 1 + s.rng.IntN(32)
	}
	return 1 + s.rng.IntN(84)
}

func (s *simulation) record(process int, t fallacy.Type, ops []fallacy.MicroOp) {
	n := len(s.history)
	s.history = append(s.history, fallacy.Op{Index: n, Time: time.Duration(n), Process: process, Type: t, F: "txn", Value: fallacy.Txn(ops...)})
}

func (s *simulation) ask() []fallacy.MicroOp {
	ops := make([]fallacy.MicroOp, 3+s.rng.IntN(3))
	for i := range ops {
		at := min(int(s.rng.ExpFloat64()*2.5), 9)
		key := s.keys[at]
		ops[i] = fallacy.MicroOp{F: "r", Key: fallacy.Int(key)}
		if s.rng.IntN(2) == 0 {
			continue
		}
		s.element[key]++
		ops[i].F, ops[i].Value = "append", fallacy.Int(s.element[key])
		if s.registers {
			ops[i].F = "w"
		}
		if s.left[at]--; s.left[at] == 0 {
			s.keys[at], s.left[at] = s.next, s.writes()
			s.next++
		}
	}
	return ops
}

// at returns a key's value as of a commit.
func (s *simulation) at(key, commit int) []fallacy.Value {
	for _, w := range slices.Backward(s.past[key]) {
		if w.since <= commit {
			return w.list
		}
	}
	return nil
}

// commit lets a transaction happen.
func (s *simulation) commit(a *attempt) {
	since := a.since
	if s.level == serial {
		since = s.now
	}
	if s.level == serial && s.rng.IntN(50) == 0 {
		a.conflict, a.done = true, a.asked
		return
	}
	own := make(map[int][]fallacy.Value)
	a.done = slices.Clone(a.asked)
	for i, op := range a.done {
		key, _ := op.Key.Int()
		list, ok := own[key]
		if !ok {
			list = s.at(key, since)
		}
		if op.F != "r" {
			own[key] = grown(list, op.Value)
			continue
		}
		switch {
		case !s.registers:
			a.done[i].Value = fallacy.List(list...)
		case len(list) > 0:
			a.done[i].Value = list[len(list)-1]
		}
	}
	for key := range own {
		if past := s.past[key]; s.level == snapshot && len(past) > 0 && past[len(past)-1].since > since {
			a.conflict = true
			return
		}
	}
	s.now++
	for key, list := range own {
		s.past[key] = append(s.past[key], was{s.now, list})
	}
}

// grown returns a list with one element more. Lists share memory as long as they
// agree, as [fallacy.Parser] has it.
func grown(list []fallacy.Value, v fallacy.Value) []fallacy.Value {
	if cap(list) > len(list) && list[:len(list)+1][len(list)].IsNil() {
		return append(list, v)
	}
	more := make([]fallacy.Value, len(list), 2*len(list)+4)
	copy(more, list)
	return append(more, v)
}

// unshared gives each read list memory of its own, as a parser would.
func unshared(h fallacy.History) fallacy.History {
	h = slices.Clone(h)
	for i := range h {
		ops, _ := h[i].Value.Txn()
		ops = slices.Clone(ops)
		for j := range ops {
			if list, ok := ops[j].Value.List(); ok {
				ops[j].Value = fallacy.List(slices.Clone(list)...)
			}
		}
		h[i].Value = fallacy.Txn(ops...)
	}
	return h
}

func name(n int) string {
	if n >= 1_000_000 {
		return strconv.Itoa(n/1_000_000) + "M"
	}
	return strconv.Itoa(n/1000) + "k"
}
