package generator

import "github.com/fallacy-dev/fallacy"

// Step is one thing that [Trace] saw: a call of Next or of Update.
type Step struct {
	Now   fallacy.Moment
	Event *fallacy.Op       // what Update was told of; nil for Next
	Op    *fallacy.Op       // what Next returned; nil for not now
	After fallacy.Generator // the generator's state afterwards; nil for exhausted
}

// Trace is g, with every call reported. The op a step shows may not come to pass:
// who asks is free to ask again.
func Trace(report func(Step), g fallacy.Generator) fallacy.Generator { return &trace{report, g} }

type trace struct {
	report func(Step)
	g      fallacy.Generator
}

func (t *trace) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	op, rest := next(t.g, now)
	t.report(Step{Now: now, Op: op, After: rest})
	return op, t.with(rest)
}

func (t *trace) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := update(t.g, now, event)
	t.report(Step{Now: now, Event: &event, After: g})
	return t.with(g)
}

func (t *trace) with(g fallacy.Generator) fallacy.Generator {
	switch {
	case g == nil:
		return nil
	case same(g, t.g):
		return t
	}
	return &trace{t.report, g}
}
