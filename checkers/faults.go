package checkers

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// window is the time between an inject's completion and the next heal's
// invocation by the same nemesis, as indexes into the history.
type window struct {
	nemesis  string
	from, to int
	err      string // why the fault did not take effect
}

// windows returns the times in which a fault was in force, in order. A fault
// that was never healed is in force to the end.
func windows(h fallacy.History) []window {
	var found []window
	open := make(map[string]int) // nemesis to its place in found
	for c := range h.Faults() {
		name := c.Invoke.Nemesis
		if at, ok := open[name]; ok {
			found[at].to = c.Invoke.Index
			delete(open, name)
		}
		if c.Invoke.F == "inject" && c.Complete != nil {
			open[name] = len(found)
			found = append(found, window{nemesis: name, from: c.Complete.Index, to: never, err: c.Complete.Error})
		}
	}
	return found
}

// inForce returns a function that tells whether any of the windows is open at an
// index. It must be asked about indexes in ascending order.
func inForce(windows []window) func(index int) bool {
	byStart := slices.SortedFunc(slices.Values(windows), func(a, b window) int { return a.from - b.from })
	next, until := 0, -1
	return func(index int) bool {
		for next < len(byStart) && byStart[next].from < index {
			until = max(until, byStart[next].to)
			next++
		}
		return index < until
	}
}
