package linearizable_test

import (
	"math/rand/v2"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// shape says what random histories are like.
type shape struct {
	calls, processes int
	repeat           bool    // values may be written twice
	refusals         string  // what a refused cas tells: "seen" or "nothing"
	info             float64 // share of calls without an answer
	damage           float64 // share of histories with answers changed
	wild             bool    // answers are random from the start
}

// history makes up a history of one key. A simulated register gives the answers,
// each at some instant of its call.
type simulation struct {
	shape
	rng     *rand.Rand
	history fallacy.History
	state   fallacy.Value
	written int
	retired int // numbers given to processes so far
	pending []*pendingCall
}

type pendingCall struct {
	process int
	f       string
	in      fallacy.Value
	applied bool
	refused bool
	out     fallacy.Value
}

func randomHistory(rng *rand.Rand, s shape) fallacy.History {
	sim := &simulation{shape: s, rng: rng, retired: s.processes, state: fallacy.Nil()}
	idle := make([]int, s.processes)
	for i := range idle {
		idle[i] = i
	}
	for left := s.calls; left > 0 || len(sim.pending) > 0; {
		if left > 0 && len(idle) > 0 && (len(sim.pending) == 0 || rng.IntN(2) == 0) {
			at := rng.IntN(len(idle))
			sim.invoke(idle[at])
			idle = append(idle[:at], idle[at+1:]...)
			left--
			continue
		}
		at := rng.IntN(len(sim.pending))
		if p := sim.pending[at]; !p.applied && rng.IntN(2) == 0 {
			sim.apply(p)
			continue
		}
		idle = append(idle, sim.complete(at))
	}
	if !s.wild && rng.Float64() < s.damage {
		sim.harm()
	}
	return sim.history
}

func (s *simulation) record(p *pendingCall, t fallacy.Type, v fallacy.Value) {
	n := len(s.history)
	s.history = append(s.history, fallacy.Op{
		Index: n, Time: time.Duration(n), Process: p.process, Type: t, F: p.f,
		Value: fallacy.Tuple(fallacy.String("x"), v),
	})
}

// anyValue returns a value that was written or is about to be; seldom another.
func (s *simulation) anyValue() fallacy.Value {
	if n := s.rng.IntN(s.written + 2); n > 0 {
		return fallacy.Int(n)
	}
	return fallacy.Nil()
}

func (s *simulation) freshValue() fallacy.Value {
	if s.repeat && s.rng.IntN(3) == 0 {
		return s.anyValue()
	}
	s.written++
	return fallacy.Int(s.written)
}

func (s *simulation) invoke(process int) {
	p := &pendingCall{process: process, f: []string{"read", "read", "write", "cas"}[s.rng.IntN(4)]}
	switch p.f {
	case "write":
		p.in = s.freshValue()
	case "cas":
		old := s.state
		if s.rng.IntN(3) == 0 {
			old = s.anyValue()
		}
		p.in = fallacy.Tuple(old, s.freshValue())
	}
	s.record(p, fallacy.Invoke, p.in)
	s.pending = append(s.pending, p)
}

func (s *simulation) apply(p *pendingCall) {
	p.applied = true
	p.out = p.in
	switch p.f {
	case "read":
		p.out = s.state
	case "write":
		s.state = p.in
	case "cas":
		from, to, _ := p.in.Tuple()
		if p.refused = !from.Equal(s.state); p.refused {
			p.out = s.state
			return
		}
		s.state = to
	}
}

// complete answers a pending call, or never does, and returns who may act next.
func (s *simulation) complete(at int) int {
	p := s.pending[at]
	s.pending = append(s.pending[:at], s.pending[at+1:]...)
	if s.rng.Float64() < s.info {
		if s.rng.IntN(2) == 0 {
			s.record(p, fallacy.Info, p.in)
		}
		s.retired++
		return s.retired - 1
	}
	if !p.applied {
		s.apply(p)
	}
	if s.wild {
		s.makeUp(p)
	}
	switch {
	case p.refused && s.refusals == "nothing":
		s.record(p, fallacy.Fail, p.in)
	case p.refused:
		s.record(p, fallacy.Fail, p.out)
	default:
		s.record(p, fallacy.OK, p.out)
	}
	return p.process
}

func (s *simulation) makeUp(p *pendingCall) {
	switch p.f {
	case "read":
		p.out = s.anyValue()
	case "cas":
		p.out = p.in
		if p.refused = s.rng.IntN(3) == 0; p.refused {
			p.out = s.anyValue()
		}
	}
}

// harm changes an answer.
func (s *simulation) harm() {
	for range 10 {
		op := &s.history[s.rng.IntN(len(s.history))]
		key, _, _ := op.Value.Tuple()
		if op.F == "read" && op.Type == fallacy.OK {
			op.Value = fallacy.Tuple(key, s.anyValue())
			return
		}
	}
}
