package controller

import (
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// reads is an endless generator of reads by whoever is free; n counts them.
type reads struct{ n, limit int }

func (g reads) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if g.limit > 0 && g.n == g.limit {
		return nil, nil
	}
	if len(now.Free) == 0 {
		return nil, g
	}
	p := now.Free[now.Chance.Nth(g.n).IntN(len(now.Free))]
	return &fallacy.Op{Time: now.Time, Process: p, F: "read", Value: fallacy.Int(g.n)}, reads{g.n + 1, g.limit}
}

func (g reads) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return g }

// turns is a schedule: inject and heal in turns, one every so often.
type turns struct {
	every time.Duration
	n     int
}

func (g turns) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if len(now.Idle) == 0 {
		return nil, g
	}
	return &fallacy.Op{Time: time.Duration(g.n+1) * g.every, F: [...]string{inject, heal}[g.n%2]}, turns{g.every, g.n + 1}
}

func (g turns) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return g }

func answer(op *fallacy.Op, t fallacy.Type, at time.Duration) fallacy.Op {
	done := *op
	done.Type, done.Time = t, at
	return done
}

func TestSchedulerRetiresProcesses(t *testing.T) {
	s := newScheduler(2, fallacy.NewChance(1), 0)
	s.until = time.Second
	s.lanes[0].gen = reads{}
	a, b := s.next(0), s.next(0)
	if a.op == nil || b.op == nil || a.op.Process == b.op.Process {
		t.Fatalf("got %v and %v, want an op for each of two processes", a.op, b.op)
	}
	if c := s.next(0); c.op != nil || c.done || c.wait >= 0 {
		t.Fatalf("with nobody free: got %+v, want to wait for a completion", c)
	}
	s.complete(answer(a.op, fallacy.Info, 1))
	s.complete(answer(b.op, fallacy.Fail, 1))
	want := map[int]bool{a.op.Process + 2: true, b.op.Process: true}
	for range 2 {
		d := s.next(2)
		if d.op == nil || !want[d.op.Process] {
			t.Fatalf("got %v, want one of processes %v", d.op, want)
		}
		delete(want, d.op.Process)
	}
}

func TestSchedulerOverlapsFaults(t *testing.T) {
	s := newScheduler(1, fallacy.NewChance(1), 0)
	s.until = time.Second
	for _, name := range []string{"kill", "pause"} {
		s.addNemesis(name, fallacy.NewChance(1))
	}
	s.lanes[1].gen, s.lanes[2].gen = turns{every: 10}, turns{every: 10}
	if d := s.next(0); d.op != nil || d.wait != 10 {
		t.Fatalf("before the schedule: got %+v, want to wait 10 ns", d)
	}
	a, b := s.next(10), s.next(10)
	if a.op.Nemesis != "kill" || b.op.Nemesis != "pause" || a.op.F != inject || b.op.F != inject {
		t.Fatalf("got %v and %v, want both injections under way at once", a.op, b.op)
	}
	if d := s.next(30); d.op != nil {
		t.Fatalf("got %v while both are at work", d.op)
	}
	s.complete(answer(b.op, fallacy.Info, 30))
	if d := s.next(30); d.op == nil || d.op.Nemesis != "pause" || d.op.F != heal {
		t.Fatalf("got %v, want the pause's heal", d.op)
	}
}

func TestSchedulerEndsWithTheWorkload(t *testing.T) {
	s := newScheduler(1, fallacy.NewChance(1), 0)
	s.until = time.Hour
	s.addNemesis("kill", fallacy.NewChance(1))
	s.lanes[0].gen, s.lanes[1].gen = reads{limit: 1}, turns{every: time.Second}
	d := s.next(0)
	s.complete(answer(d.op, fallacy.OK, 1))
	s.next(1)
	if d := s.next(1); !d.done {
		t.Fatalf("got %+v after the last read, want the end", d)
	}
}

func TestSchedulerSameSeedSamePlan(t *testing.T) {
	plan := func(seed uint64) (ops []string) {
		s := newScheduler(3, fallacy.NewChance(seed), 1000)
		s.until = 50 * time.Millisecond
		s.lanes[0].gen = reads{}
		for now := time.Duration(0); ; {
			d := s.next(now)
			switch {
			case d.op != nil:
				ops = append(ops, d.op.Time.String()+" "+d.op.String())
				s.complete(answer(d.op, fallacy.OK, now))
			case d.done:
				return ops
			default:
				now += max(d.wait, 1)
			}
		}
	}
	a, b, c := plan(7), plan(7), plan(8)
	if len(a) < 30 || len(a) > 70 {
		t.Errorf("%d ops in 50 ms at 1000 a second, want about 50", len(a))
	}
	same := func(x, y []string) bool {
		if len(x) != len(y) {
			return false
		}
		for i := range x {
			if x[i] != y[i] {
				return false
			}
		}
		return true
	}
	if !same(a, b) {
		t.Error("one seed gave two plans")
	}
	if same(a, c) {
		t.Error("two seeds gave one plan")
	}
}
