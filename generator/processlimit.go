package generator

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// ProcessLimit is g until more than n different processes could have taken part
// in it, which is to say were free when g was asked. As every crash makes a new
// process, it bounds how many processes of unknown fate a history holds, and with them
// what it costs to judge it.
func ProcessLimit(n int, g fallacy.Generator) fallacy.Generator {
	return &processLimit{left: n, g: g}
}

type processLimit struct {
	left   int
	latest []int // the last process seen of each worker; -1 for none
	g      fallacy.Generator
}

func (l *processLimit) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	latest, left := l.see(now)
	if left < 0 {
		return nil, nil
	}
	op, rest := next(l.g, now)
	switch {
	case rest == nil:
		return op, nil
	case op == nil && same(rest, l.g):
		return nil, l
	}
	return op, &processLimit{left, latest, rest}
}

// see counts the free processes it has not seen before.
func (l *processLimit) see(now fallacy.Moment) (latest []int, left int) {
	latest, left = l.latest, l.left
	if latest == nil {
		latest = slices.Repeat([]int{-1}, now.Concurrency)
	}
	for _, p := range now.Free {
		w := worker(p, now)
		if latest[w] == p {
			continue
		}
		if left == l.left && l.latest != nil {
			latest = slices.Clone(latest)
		}
		latest[w] = p
		left--
	}
	return latest, left
}

func (l *processLimit) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	g := update(l.g, now, event)
	if same(g, l.g) {
		return l
	}
	return &processLimit{l.left, l.latest, g}
}

func (l *processLimit) deaf() bool { return deaf(l.g) }
