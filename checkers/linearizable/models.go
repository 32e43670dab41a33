package linearizable

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// CASRegister is read, write and cas on one register per key, decided by search:
// the second opinion on [Register], and an example of a model.
var CASRegister = Model{
	Name:  "cas-register",
	Doc:   "each register behaves as if calls took effect one at a time\n\nAs linearizable, but always by search. A failed cas is left out.\n\nSource: Knossos' cas-register.",
	Keyed: true,
	Reads: []string{"read"},
	Step: func(state fallacy.Value, a Action) (fallacy.Value, bool) {
		switch a.F {
		case "read":
			return state, !a.Known() || a.Out.Equal(state)
		case "write":
			return a.In, true
		case "cas":
			from, to, ok := a.In.Tuple()
			return to, ok && from.Equal(state)
		}
		return state, false
	},
}

// Counter is a counter that starts at 0, with add and read.
var Counter = Model{
	Name:  "linearizable-counter",
	Doc:   "the counter behaves as if calls took effect one at a time\n\nA read returns the sum of all deltas added before it.\n\nSource: the counter of Jepsen, as a model.",
	Init:  fallacy.Int(0),
	Reads: []string{"read"},
	Step: func(state fallacy.Value, a Action) (fallacy.Value, bool) {
		n, _ := state.Int()
		switch a.F {
		case "read":
			return state, !a.Known() || a.Out.Equal(state)
		case "add":
			by, ok := a.In.Int()
			return fallacy.Int(n + by), ok
		}
		return state, false
	},
}

// Set is a set of ints that only grows, with add and read of the whole.
var Set = Model{
	Name:  "linearizable-set",
	Doc:   "the set behaves as if calls took effect one at a time\n\nA read returns all elements added before it, in any order.\n\nSource: Knossos' set.",
	Init:  fallacy.Ints(),
	Reads: []string{"read"},
	Step: func(state fallacy.Value, a Action) (fallacy.Value, bool) {
		has, _ := state.Ints()
		switch a.F {
		case "read":
			saw, _ := a.Out.Ints()
			slices.Sort(saw)
			return state, !a.Known() || slices.Equal(saw, has)
		case "add":
			n, ok := a.In.Int()
			at, found := slices.BinarySearch(has, n)
			if found || !ok {
				return state, ok
			}
			return fallacy.Ints(slices.Insert(has, at, n)...), true
		}
		return state, false
	},
}

// Queue is a FIFO queue, with enqueue and dequeue. A dequeue that failed found
// the queue empty.
var Queue = Model{
	Name:     "linearizable-queue",
	Doc:      "the queue behaves as if calls took effect one at a time\n\nA dequeue returns the element that was enqueued first; one that failed found nothing.\n\nSource: Knossos' fifo-queue.",
	Init:     fallacy.Ints(),
	Refusals: true,
	Step: func(state fallacy.Value, a Action) (fallacy.Value, bool) {
		waiting, _ := state.List()
		switch {
		case a.F == "enqueue" && a.Type == fallacy.Fail:
			return state, true
		case a.F == "enqueue":
			return fallacy.List(append(slices.Clip(waiting), a.In)...), true
		case a.F != "dequeue":
			return state, false
		case len(waiting) == 0 || a.Type == fallacy.Fail:
			return state, !a.Known() && len(waiting) == 0
		}
		return fallacy.List(waiting[1:]...), !a.Known() || a.Out.Equal(waiting[0])
	},
}

// Mutex is a lock that one process holds at a time, with acquire and release.
// What failed is left out.
var Mutex = Model{
	Name: "mutex",
	Doc:  "one process at a time holds the lock\n\nAn acquire finds the lock free, a release finds it held. It does not fit a lock whose leases expire.\n\nSource: Knossos' mutex.",
	Init: fallacy.Bool(false),
	Step: func(state fallacy.Value, a Action) (fallacy.Value, bool) {
		held, _ := state.Bool()
		switch a.F {
		case "acquire":
			return fallacy.Bool(true), !held
		case "release":
			return fallacy.Bool(false), held
		}
		return state, false
	},
}
