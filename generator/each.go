package generator

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// EachWorker gives every worker a g of its own: the same plan, with other
// chances. Where g counts, as [From] does, all copies count alike, so that
// values are unique only together with the worker. A worker that crashes goes
// on where it was; see [EachProcess]. Nemeses take no part.
func EachWorker(g fallacy.Generator) fallacy.Generator { return &each{fresh: g} }

// EachProcess is [EachWorker], but that a worker begins anew when it crashes and
// becomes another process. It ends when every worker is idle and has nothing left.
func EachProcess(g fallacy.Generator) fallacy.Generator { return &each{fresh: g, process: true} }

type each struct {
	fresh   fallacy.Generator
	process bool                // whether a new process begins anew
	gs      []fallacy.Generator // by worker; nil when exhausted
	at      []int               // the process by worker that its generator belongs to; -1 before the first
	n       int                 // ops so far
}

func (e *each) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if now.Workers == 0 || e.over(e.gs, now) {
		return nil, nil
	}
	if len(now.Free) == 0 {
		return nil, e
	}
	r := newRace(e.gs, now)
	at := e.renew(&r, now)
	start := now.Chance.At("each").Nth(e.n).IntN(len(now.Free))
	for k := range now.Free {
		i := (start + k) % len(now.Free)
		w := worker(now.Free[i], now)
		if r.ask(w, e.one(now, now.Free[i:i+1:i+1], w, at[w])) {
			break
		}
	}
	op := r.end()
	switch {
	case op != nil:
		return op, &each{e.fresh, e.process, r.gs, at, e.n + 1}
	case e.over(r.gs, now):
		return nil, nil
	case !r.cloned:
		return nil, e
	}
	return nil, &each{e.fresh, e.process, r.gs, at, e.n}
}

// renew gives a fresh generator to each free process that has none, and returns
// which process each worker's generator now belongs to.
func (e *each) renew(r *race, now fallacy.Moment) []int {
	at := e.at
	if e.gs == nil {
		r.gs, r.cloned = slices.Repeat([]fallacy.Generator{e.fresh}, now.Concurrency), true
		at = slices.Repeat([]int{-1}, now.Concurrency)
	}
	cloned := e.gs == nil
	for _, p := range now.Free {
		w := worker(p, now)
		if at[w] == p || at[w] >= 0 && !e.process {
			continue
		}
		if !cloned {
			at, cloned = slices.Clone(at), true
		}
		at[w] = p
		r.set(w, e.fresh)
	}
	return at
}

// one returns the moment as one worker sees it.
func (e *each) one(now fallacy.Moment, free []int, w, process int) fallacy.Moment {
	now.Free, now.Workers, now.Idle, now.Nemeses = free, 1, nil, 0
	now.Chance = now.Chance.At("each of").Nth(w)
	if e.process {
		now.Chance = now.Chance.At("process").Nth(process)
	}
	return now
}

// over tells whether nobody has anything left.
func (e *each) over(gs []fallacy.Generator, now fallacy.Moment) bool {
	if gs == nil || e.process && len(now.Free) < now.Workers {
		return false
	}
	if e.process {
		for _, p := range now.Free {
			if w := worker(p, now); gs[w] != nil || e.at != nil && e.at[w] != p {
				return false
			}
		}
		return true
	}
	done := 0
	for _, g := range gs {
		if g == nil {
			done++
		}
	}
	return done >= now.Workers
}

func (e *each) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if !event.IsClient() || e.gs == nil {
		return e
	}
	w := worker(event.Process, now)
	if deaf(e.gs[w]) || e.process && e.at[w] != event.Process {
		return e
	}
	free := slices.IndexFunc(now.Free, func(p int) bool { return worker(p, now) == w })
	there := e.one(now, nil, w, e.at[w])
	if free >= 0 {
		there.Free = now.Free[free : free+1 : free+1]
	}
	g := e.gs[w].Update(there, event)
	if same(g, e.gs[w]) {
		return e
	}
	gs := slices.Clone(e.gs)
	gs[w] = g
	return &each{e.fresh, e.process, gs, e.at, e.n}
}
