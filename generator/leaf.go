package generator

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Nothing is the generator that is exhausted from the start: nil, under a name
// that reads well where a generator is wanted.
func Nothing() fallacy.Generator { return nil }

// Op is one invocation of f with a value, by any process that is free; where the
// moment has no workers, by any nemesis that is idle. While nobody is free it
// waits. Where nobody ever can be, in a moment with neither workers nor
// nemeses, it is exhausted.
func Op(f string, value fallacy.Value) fallacy.Generator { return &leaf{f, value} }

type leaf struct {
	f     string
	value fallacy.Value
}

func (l *leaf) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if nobody(now) {
		return nil, nil
	}
	op := fallacy.Op{F: l.f, Value: l.value}
	if !assign(&op, now, 0) {
		return nil, l
	}
	return &op, nil
}

func (l *leaf) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return l }
func (l *leaf) deaf() bool                                          { return true }

// From is an endless supply of ops: make returns what to invoke, and n counts
// the ops before it, from 0. Each op has a Chance of its own, from which make
// draws what it needs. As n counts, From is how to write unique values:
//
//	writes := generator.From(func(_ fallacy.Chance, n int) (string, fallacy.Value) {
//		return "write", fallacy.Int(n)
//	})
//
// make must depend on its arguments only.
func From(make func(c fallacy.Chance, n int) (f string, value fallacy.Value)) fallacy.Generator {
	return &from{make: func(now fallacy.Moment, n int) fallacy.Op {
		f, value := make(now.Chance, n)
		return fallacy.Op{F: f, Value: value}
	}}
}

// FromMoment is [From] for ops that depend on more than chance: make sees the
// whole moment, whose Chance is the op's own, and returns the F and the Value to
// invoke, and if it likes a Time later than now. An op whose Nemesis is set is
// for that nemesis and waits until it is idle; every other op gets a free
// process. An op without F means not now.
func FromMoment(make func(now fallacy.Moment, n int) fallacy.Op) fallacy.Generator {
	return &from{make: make}
}

type from struct {
	make func(now fallacy.Moment, n int) fallacy.Op
	n    int // ops made
}

func (g *from) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if nobody(now) {
		return nil, nil
	}
	if !anyoneFree(now) {
		return nil, g
	}
	there := now
	there.Chance = now.Chance.At("value").Nth(g.n)
	op := g.make(there, g.n)
	if op.F == "" || !assign(&op, now, g.n) {
		return nil, g
	}
	return &op, &from{g.make, g.n + 1}
}

func (g *from) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return g }
func (g *from) deaf() bool                                          { return true }

// nobody tells whether no worker and no nemesis can ever perform an op at such a moment.
func nobody(now fallacy.Moment) bool { return now.Workers == 0 && now.Nemeses == 0 }

// anyoneFree tells whether an op can be handed out at now.
func anyoneFree(now fallacy.Moment) bool { return len(now.Free) > 0 || len(now.Idle) > 0 }

// assign makes op an invocation at now by somebody who is free: by the nemesis
// it names, else by a process, else by a nemesis, each as likely as the other.
// It returns false if there is nobody.
func assign(op *fallacy.Op, now fallacy.Moment, n int) bool {
	op.Type = fallacy.Invoke
	op.Time = max(op.Time, now.Time)
	switch {
	case op.Nemesis != "":
		op.Process = fallacy.NemesisProcess
		return slices.Contains(now.Idle, op.Nemesis)
	case now.Workers > 0 && len(now.Free) > 0:
		op.Process = now.Free[draw(now, n, len(now.Free))]
		return true
	case now.Workers == 0 && len(now.Idle) > 0:
		op.Process = fallacy.NemesisProcess
		op.Nemesis = now.Idle[draw(now, n, len(now.Idle))]
		return true
	}
	return false
}

// draw returns the nth choice of who performs an op.
func draw(now fallacy.Moment, n, choices int) int {
	if choices == 1 {
		return 0
	}
	return now.Chance.At("who").Nth(n).IntN(choices)
}
