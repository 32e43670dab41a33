package generator

import (
	"cmp"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// World is where [Simulate] tries a generator: who is there, and how they
// answer. The zero World has three workers, no nemesis, and is perfect: every op
// is ok after 10 ns.
type World struct {
	Workers int           // 0 means 3
	Nemeses []string      // by name; what they complete is always Info, and retires nobody
	Answer  Answer        // nil means Perfect
	Latency time.Duration // from invocation to completion; 0 means 10 ns
	Seed    uint64
	MaxOps  int           // invocations and notes after which nothing more is asked for; 0 means 10,000
	MaxTime time.Duration // virtual time after which nothing more is invoked; 0 means an hour
}

const defaultLatency = 10 * time.Nanosecond

// patience is how long the simulation waits, as the controller would, before it
// asks again a generator that had no op.
const patience = time.Millisecond

// Simulate runs a generator in virtual time, without a target, and returns what
// would have been the history: quick, and the same for the same seed. What is
// under way when the generator is exhausted, or a bound of the world is reached, is
// waited for.
//
// Everything goes as in a real run. A worker whose client answers Info goes on as
// a new process, which is the old plus the number of workers. Completions come
// before invocations at the same time. A note, such as [Log], is kept
// in the history and costs nothing.
func Simulate(g fallacy.Generator, w World) fallacy.History {
	w.Workers = cmp.Or(w.Workers, 3)
	w.Latency = cmp.Or(w.Latency, defaultLatency)
	w.MaxOps = cmp.Or(w.MaxOps, 10_000)
	w.MaxTime = cmp.Or(w.MaxTime, time.Hour)
	if w.Answer == nil {
		w.Answer = Perfect
	}
	s := &simulation{World: w, g: g, process: make([]int, w.Workers), busy: make([]bool, w.Workers)}
	for i := range s.process {
		s.process[i] = i
	}
	s.idle = slices.Clone(w.Nemeses)
	s.look()
	for s.step() {
	}
	for len(s.open) > 0 {
		s.complete()
	}
	return s.history
}

type simulation struct {
	World
	g       fallacy.Generator
	now     time.Duration
	process []int  // by worker
	busy    []bool // by worker
	free    []int  // the processes of the workers that are not busy
	idle    []string
	open    []fallacy.Op // completions to come, soonest first
	invoked int
	asked   int // times in a row that there was no op
	history fallacy.History
}

// step asks the generator once and does as it says; false when it is done.
func (s *simulation) step() bool {
	for len(s.open) > 0 && s.open[0].Time <= s.now {
		s.complete()
	}
	if s.g == nil || s.invoked >= s.MaxOps || s.now > s.MaxTime {
		return false
	}
	op, rest := s.g.Next(s.moment())
	switch {
	case op == nil && rest == nil:
		s.g = nil
	case op == nil:
		if s.asked++; s.asked > 10 || same(rest, s.g) { // what has just begun to wait may know until when
			s.wait(s.now + patience)
		}
		s.g = rest
		return true
	case op.Time > s.now && len(s.open) > 0 && s.open[0].Time <= op.Time:
		s.wait(op.Time) // and ask again
	default:
		if op.Time > s.MaxTime {
			return false
		}
		s.now = max(s.now, op.Time)
		s.g = rest
		s.invoke(*op)
	}
	s.asked = 0
	return true
}

// wait lets time pass until t or the next completion, whichever is sooner.
func (s *simulation) wait(t time.Duration) {
	if len(s.open) > 0 {
		t = min(t, s.open[0].Time)
	}
	s.now = max(s.now, t)
}

func (s *simulation) invoke(op fallacy.Op) {
	op.Time = s.now
	op = s.record(op)
	if op.Type != fallacy.Invoke {
		s.invoked++ // notes without end must end as well
		return
	}
	completion := s.Answer(fallacy.NewChance(s.Seed).At("answer").Nth(s.invoked), op)
	completion.Process, completion.Nemesis, completion.F = op.Process, op.Nemesis, op.F
	if completion.Time <= op.Time {
		completion.Time = op.Time + s.Latency
	}
	s.invoked++
	if op.IsClient() {
		s.busy[op.Process%s.Workers] = true
	} else {
		completion.Type = fallacy.Info
		s.idle = slices.DeleteFunc(slices.Clone(s.idle), func(name string) bool { return name == op.Nemesis })
	}
	at, _ := slices.BinarySearchFunc(s.open, completion, func(a, b fallacy.Op) int {
		if a.Time <= b.Time {
			return -1
		}
		return 1
	})
	s.open = slices.Insert(s.open, at, completion)
	s.look()
	s.g = update(s.g, s.moment(), op)
}

// complete delivers the next completion, at its time.
func (s *simulation) complete() {
	op := s.open[0]
	s.open = slices.Delete(s.open, 0, 1)
	s.now = max(s.now, op.Time)
	op = s.record(op)
	if op.IsClient() {
		worker := op.Process % s.Workers
		s.busy[worker] = false
		if op.Type == fallacy.Info {
			s.process[worker] += s.Workers
		}
	} else {
		s.idle = append(slices.Clone(s.idle), op.Nemesis)
	}
	s.look()
	s.g = update(s.g, s.moment(), op)
}

func (s *simulation) record(op fallacy.Op) fallacy.Op {
	op.Index = len(s.history)
	s.history = append(s.history, op)
	return op
}

// look notes afresh who is free, as a moment handed out must not change.
func (s *simulation) look() {
	s.free = make([]int, 0, s.Workers)
	for w, p := range s.process {
		if !s.busy[w] {
			s.free = append(s.free, p)
		}
	}
}

func (s *simulation) moment() fallacy.Moment {
	return fallacy.Moment{
		Time:        s.now,
		Free:        s.free,
		Workers:     s.Workers,
		Concurrency: s.Workers,
		Idle:        s.idle,
		Nemeses:     len(s.Nemeses),
		Chance:      fallacy.NewChance(s.Seed).At("generator"),
	}
}
