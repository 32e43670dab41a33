package txn_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// lists is a store of lists that runs transactions a step at a time, as badly as
// it is told to.
type lists struct {
	rng     *rand.Rand
	torn    bool // steps take effect one by one, and some reads are stale
	lossy   bool // appends get lost, or happen twice
	final   bool // at the end somebody reads all
	regs    bool // the lists are registers, of which one sees the last element
	history fallacy.History
	state   map[string][]int
	next    int
}

type running struct {
	process int
	asked   []fallacy.MicroOp
	done    []fallacy.MicroOp
}

var keys = []string{"x", "y"}

func randomTxns(rng *rand.Rand, n int, l lists) fallacy.History {
	l.rng, l.state = rng, make(map[string][]int)
	var open []*running
	free, fresh := []int{0, 1, 2}, 3
	for n > 0 || len(open) > 0 {
		if n > 0 && len(free) > 0 && (len(open) == 0 || rng.IntN(2) == 0) {
			r := &running{process: free[0], asked: l.ask()}
			free, open = free[1:], append(open, r)
			l.record(r.process, fallacy.Invoke, r.asked)
			n--
			continue
		}
		at := rng.IntN(len(open))
		r := open[at]
		if len(r.done) < len(r.asked) && rng.IntN(8) > 0 {
			l.step(r)
			continue
		}
		open = slices.Delete(open, at, at+1)
		switch {
		case len(r.done) == len(r.asked) && rng.IntN(10) > 0:
			l.record(r.process, fallacy.OK, r.done)
			free = append(free, r.process)
			continue
		case len(r.done) == 0 && rng.IntN(2) == 0:
			l.record(r.process, fallacy.Fail, r.asked)
			free = append(free, r.process)
			continue
		case rng.IntN(2) == 0:
			l.record(r.process, fallacy.Info, r.asked)
		}
		free, fresh = append(free, fresh), fresh+1
	}
	if l.final {
		var all []fallacy.MicroOp
		for _, k := range keys {
			all = append(all, fallacy.MicroOp{F: "r", Key: fallacy.String(k)})
		}
		r := &running{process: fresh, asked: all}
		l.record(fresh, fallacy.Invoke, all)
		for len(r.done) < len(all) {
			l.step(r)
		}
		l.record(fresh, fallacy.OK, r.done)
	}
	return l.history
}

func (l *lists) record(process int, t fallacy.Type, ops []fallacy.MicroOp) {
	n := len(l.history)
	l.history = append(l.history, fallacy.Op{Index: n, Time: time.Duration(n), Process: process, Type: t, F: "txn", Value: fallacy.Txn(slices.Clone(ops)...)})
}

func (l *lists) ask() []fallacy.MicroOp {
	var ops []fallacy.MicroOp
	for range 1 + l.rng.IntN(3) {
		op := fallacy.MicroOp{F: "r", Key: fallacy.String(keys[l.rng.IntN(len(keys))])}
		if l.rng.IntN(2) == 0 {
			l.next++
			op.F, op.Value = "append", fallacy.Int(l.next)
			if l.regs {
				op.F = "w"
			}
		}
		ops = append(ops, op)
	}
	return ops
}

// step takes the next step of a transaction; all of them, unless transactions are torn.
func (l *lists) step(r *running) {
	for len(r.done) < len(r.asked) {
		op := r.asked[len(r.done)]
		key, _ := op.Key.Str()
		if n, ok := op.Value.Int(); ok {
			l.state[key] = append(l.state[key], n)
			switch has := l.state[key]; {
			case l.lossy && l.rng.IntN(12) == 0:
				l.state[key] = append(has, n)
			case l.lossy && l.rng.IntN(6) == 0:
				at := l.rng.IntN(len(has))
				l.state[key] = slices.Delete(slices.Clone(has), at, at+1)
			}
		} else {
			op.Value = fallacy.Ints(l.state[key]...)
			if l.torn && l.rng.IntN(8) == 0 { // stale
				op.Value = fallacy.Ints(l.state[key][:l.rng.IntN(len(l.state[key])+1)]...)
			}
			if list, _ := op.Value.List(); l.regs {
				op.Value = fallacy.Nil()
				if len(list) > 0 {
					op.Value = list[len(list)-1]
				}
			}
		}
		r.done = append(r.done, op)
		if l.torn {
			return
		}
	}
}

func text(h fallacy.History) string {
	var b strings.Builder
	for _, op := range h {
		fmt.Fprintln(&b, op.Index, op)
	}
	return b.String()
}
