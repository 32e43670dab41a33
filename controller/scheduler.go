package controller

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// lane is a generator with the threads that it may use: all the clients, or one nemesis.
type lane struct {
	gen     fallacy.Generator // nil: exhausted
	nemesis string            // whose lane it is; empty: the clients'
	idle    []string          // the nemesis, as a moment has it
	busy    bool              // of a nemesis: it is at work
	chance  fallacy.Chance
}

// scheduler decides what happens next. It is a state machine: its answers
// depend on what it was told and on the times that it was given, on nothing else.
type scheduler struct {
	lanes       []lane
	process     []int  // by worker: the process that it is now
	busy        []bool // by worker
	free        []int  // processes that are idle, by worker
	outstanding int
	pace        pace
	until       time.Duration // no new ops from here on
}

func newScheduler(concurrency int, chance fallacy.Chance, rate float64) *scheduler {
	s := &scheduler{
		process: make([]int, concurrency),
		busy:    make([]bool, concurrency),
		pace:    pace{rate: rate, chance: chance.At("rate")},
		lanes:   []lane{{chance: chance.At("clients")}},
	}
	for w := range s.process {
		s.process[w] = w
	}
	s.refresh()
	return s
}

// addNemesis gives the nemesis called name a lane of its own.
func (s *scheduler) addNemesis(name string, chance fallacy.Chance) {
	s.lanes = append(s.lanes, lane{nemesis: name, idle: []string{name}, chance: chance})
}

// decision is what next comes to: an op to perform now, or how long to wait.
type decision struct {
	op   *fallacy.Op
	note bool          // the op is a note for people
	wait time.Duration // with no op: until then nothing can come but for a completion; forever if negative
	done bool          // with no op: nothing ever comes again
}

// pollEvery is how long a generator that says "not now" is left alone.
const pollEvery = time.Millisecond

// next returns what is to be done at now. An op that it returns is under way
// from then on, and complete has to be called for it.
func (s *scheduler) next(now time.Duration) decision {
	if now >= s.until {
		return decision{done: true, wait: -1}
	}
	best, chosen := decision{done: true, wait: -1}, -1
	var rest fallacy.Generator
	for i := range s.lanes {
		op, after, d := s.ask(i, now)
		if !d.done {
			best.done = false
		}
		if op == nil {
			best.wait = sooner(best.wait, d.wait)
			continue
		}
		if chosen < 0 || op.Time < best.op.Time {
			best.op, chosen, rest = op, i, after
		}
	}
	if chosen < 0 {
		return best
	}
	if at := min(best.op.Time, s.until); at > now {
		return decision{wait: sooner(best.wait, at-now)}
	}
	return s.commit(chosen, best.op, rest, now)
}

// ask asks lane i what it would do, and changes nothing but what is exhausted.
func (s *scheduler) ask(i int, now time.Duration) (*fallacy.Op, fallacy.Generator, decision) {
	l := &s.lanes[i]
	if l.gen == nil {
		return nil, nil, decision{done: true, wait: -1}
	}
	if l.nemesis != "" && l.busy || l.nemesis == "" && len(s.free) == 0 {
		return nil, l.gen, decision{wait: -1}
	}
	op, rest := l.gen.Next(s.moment(i, now))
	switch {
	case op == nil && rest == nil:
		l.gen = nil
		if l.nemesis == "" {
			s.until = 0 // with no more questions to ask there is no use in more faults
		}
		return nil, nil, decision{done: true, wait: -1}
	case op == nil:
		l.gen = rest
		return nil, rest, decision{wait: pollEvery}
	}
	later := *op
	later.Time = max(later.Time, now)
	if l.nemesis == "" {
		later.Time = max(later.Time, s.pace.next)
	}
	return &later, rest, decision{}
}

// commit makes op happen now.
func (s *scheduler) commit(i int, op *fallacy.Op, rest fallacy.Generator, now time.Duration) decision {
	l := &s.lanes[i]
	l.gen = rest
	op.Time = now
	if op.Type == fallacy.Info {
		return decision{op: op, note: true}
	}
	op.Type = fallacy.Invoke
	s.outstanding++
	if l.nemesis != "" {
		op.Process, op.Nemesis = fallacy.NemesisProcess, l.nemesis
		l.busy = true
	} else {
		s.busy[op.Process%len(s.busy)] = true
		s.pace.spend(now)
		s.refresh()
	}
	s.update(now, *op)
	return decision{op: op}
}

// complete takes the completion of an op that is under way.
func (s *scheduler) complete(op fallacy.Op) {
	s.outstanding--
	if op.IsClient() {
		w := op.Process % len(s.process)
		s.busy[w] = false
		if op.Type == fallacy.Info {
			s.process[w] = op.Process + len(s.process)
		}
		s.refresh()
	} else {
		for i := range s.lanes {
			if s.lanes[i].nemesis == op.Nemesis {
				s.lanes[i].busy = false
			}
		}
	}
	s.update(op.Time, op)
}

// update tells the generator whose op it is of the event.
func (s *scheduler) update(now time.Duration, event fallacy.Op) {
	for i := range s.lanes {
		if l := &s.lanes[i]; l.gen != nil && l.nemesis == event.Nemesis && (l.nemesis == "") == event.IsClient() {
			l.gen = l.gen.Update(s.moment(i, now), event)
		}
	}
}

func (s *scheduler) moment(i int, now time.Duration) fallacy.Moment {
	l := s.lanes[i]
	m := fallacy.Moment{Time: now, Concurrency: len(s.process), Chance: l.chance}
	if l.nemesis == "" {
		m.Free, m.Workers = s.free, len(s.process)
		return m
	}
	m.Nemeses = 1
	if !l.busy {
		m.Idle = l.idle
	}
	return m
}

// refresh makes the list of free processes anew. Generators may have kept the
// old one, so it is not written over.
func (s *scheduler) refresh() {
	free := make([]int, 0, len(s.process))
	for w, p := range s.process {
		if !s.busy[w] {
			free = append(free, p)
		}
	}
	s.free = free
}

// sooner returns the earlier of two waits, of which a negative one is forever.
func sooner(a, b time.Duration) time.Duration {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}

// pace spreads invocations over time: random gaps, rate a second on average.
type pace struct {
	rate   float64 // 0: no limit
	chance fallacy.Chance
	count  int
	next   time.Duration
}

// spend notes an invocation at now and draws when the next may come. A pace
// that fell behind while all workers waited does not make up for it in a burst.
func (p *pace) spend(now time.Duration) {
	if p.rate <= 0 {
		return
	}
	gap := 2 * p.chance.Nth(p.count).Float64() / p.rate * float64(time.Second)
	p.count++
	const behind = 10 * time.Millisecond
	p.next = max(p.next, now-behind) + time.Duration(gap)
}
