package results

import (
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// lanesMax bounds the lanes of the chart: a foreign history may number its
// processes as it likes.
const lanesMax = 1024

// calls is a history as the page shows it: a call a row, workers in lanes.
type calls struct {
	all    []fallacy.Call
	byOp   map[int]int // an op's index to its call, where it is not in places
	places []int32     // the same, and one, by index: those of a history that was read whole
	keyed  bool        // every call's value is a key with an argument
	lanes  int
	end    time.Duration // the last op's time
	nodes  []string
	laneOf func(process int) int
}

func callsOf(run Run, h fallacy.History) *calls {
	c := &calls{all: make([]fallacy.Call, 0, len(h)/2+1), byOp: make(map[int]int), places: make([]int32, len(h)), keyed: true, nodes: run.Nodes}
	workers, first := run.Concurrency, 0
	settled := false // a process was retired: new numbers are not new workers
	for call := range h.Calls() {
		if call.Invoke.Process >= first && !settled {
			first = call.Invoke.Process + 1
		}
		settled = settled || call.Type() == fallacy.Info
		c.put(call.Invoke.Index, len(c.all))
		if call.Complete != nil {
			c.put(call.Complete.Index, len(c.all))
		}
		c.all = append(c.all, call)
		key, _, ok := call.Invoke.Value.Tuple()
		c.keyed = c.keyed && ok && (key.Kind() == fallacy.KindInt || key.Kind() == fallacy.KindString)
	}
	if len(h) > 0 {
		c.end = h[len(h)-1].Time
	}
	if workers <= 0 {
		workers = first
	}
	workers = min(max(workers, 1), lanesMax)
	c.lanes = workers
	c.laneOf = func(process int) int { return process % workers }
	c.addNodes()
	return c
}

func (c *calls) put(op, call int) {
	if op >= 0 && op < len(c.places) {
		c.places[op] = int32(call) + 1
		return
	}
	c.byOp[op] = call
}

// of returns the place of the call that an op belongs to.
func (c *calls) of(op int) (call int, ok bool) {
	if op >= 0 && op < len(c.places) && c.places[op] > 0 {
		return int(c.places[op]) - 1, true
	}
	call, ok = c.byOp[op]
	return call, ok
}

// at is of for an op that is known to belong to a call.
func (c *calls) at(op int) int {
	call, _ := c.of(op)
	return call
}

// addNodes adds those that the history names and the run does not.
func (c *calls) addNodes() {
	known := make(map[string]bool)
	nodes := append([]string(nil), c.nodes...)
	for _, n := range nodes {
		known[n] = true
	}
	for _, call := range c.all {
		if n := nodeOf(call); n != "" && !known[n] {
			known[n] = true
			nodes = append(nodes, n)
		}
	}
	c.nodes = nodes
}

// nodeOf returns the node that a call was put to.
func nodeOf(c fallacy.Call) string {
	if c.Complete != nil && c.Complete.Node != "" {
		return c.Complete.Node
	}
	return c.Invoke.Node
}

// parts returns a call's keys, what it was asked with, and what came back.
func (c *calls) parts(call fallacy.Call) (keys []fallacy.Value, asked, got fallacy.Value) {
	asked = call.Invoke.Value
	if call.Complete != nil && call.Type() != fallacy.Info {
		got = call.Complete.Value
	}
	if c.keyed {
		key, arg, _ := asked.Tuple()
		if k, v, ok := got.Tuple(); ok && k.Equal(key) {
			got = v
		}
		return []fallacy.Value{key}, arg, got
	}
	if ops, ok := asked.Txn(); ok {
		for _, op := range ops {
			keys = append(keys, op.Key)
		}
	}
	return keys, asked, got
}

// words returns a call as a reader says it: "read x → 34".
func (c *calls) words(call fallacy.Call) string {
	keys, asked, got := c.parts(call)
	text := call.Invoke.F
	if c.keyed {
		text += " " + plain(keys[0])
	}
	if asked.Kind() == fallacy.KindTxn && !c.keyed {
		if got.Kind() == fallacy.KindTxn {
			asked = got // its reads are filled in
		}
		ops, _ := asked.Txn()
		return txnWords(ops, call.Type() == fallacy.OK, inBrief)
	}
	wanted := askedWords(call.Invoke.F, asked, inBrief)
	if !asked.IsNil() {
		text += " " + wanted
	}
	switch {
	case call.Type() == fallacy.Info && asked.IsNil():
		text += " → ?"
	case call.Type() == fallacy.Info:
	case asked.IsNil() && got.IsNil() && call.Type() == fallacy.OK && (c.keyed || call.Invoke.F == "read"):
		text += " → nothing"
	case got.IsNil() || got.Equal(asked):
	case strings.Contains(wanted, " → "):
		text += ", saw " + valueWords(got, inBrief)
	default:
		text += " → " + valueWords(got, inBrief)
	}
	return text
}

// askedWords writes what a call was asked with; of a compare-and-set, which
// value it was to find and which to leave.
func askedWords(f string, asked fallacy.Value, write func(fallacy.Value) string) string {
	if old, next, ok := asked.Tuple(); ok && f == "cas" {
		return valueWords(old, write) + " → " + valueWords(next, write)
	}
	return valueWords(asked, write)
}

// valueWords writes a value for people: a transaction as its steps.
func valueWords(v fallacy.Value, write func(fallacy.Value) string) string {
	if ops, ok := v.Txn(); ok && len(ops) > 0 {
		return txnWords(ops, false, write)
	}
	return write(v)
}

// listMax is how long a list is shown in whole; of a longer one the ends are.
const listMax, listEnd = 24, 4

// inBrief writes a value, of a long list its ends and how long it is.
func inBrief(v fallacy.Value) string {
	list, ok := v.List()
	if !ok || len(list) <= listMax {
		return v.String()
	}
	first, last := fallacy.List(list[:listEnd]...).String(), fallacy.List(list[len(list)-listEnd:]...).String()
	return strings.TrimSuffix(first, "]") + ",…," + strings.TrimPrefix(last, "[") + " (" + some(len(list), "element") + ")"
}

// txnWords writes the steps of a transaction; a read that came to an end and saw
// nothing did see that.
func txnWords(ops []fallacy.MicroOp, done bool, write func(fallacy.Value) string) string {
	text := ""
	for i, op := range ops {
		if i > 0 {
			text += ", "
		}
		text += op.F + " " + plain(op.Key)
		if op.F == "r" {
			text += " → "
			switch {
			case op.Value.IsNil() && done:
				text += "nothing"
				continue
			case op.Value.IsNil():
				text += "?"
				continue
			}
		} else {
			text += " "
		}
		text += write(op.Value)
	}
	return text
}

// outcome says in words how a call ended.
func outcome(call fallacy.Call) string {
	why := ""
	if call.Complete != nil && call.Complete.Error != "" {
		why = ": " + shorten(call.Complete.Error, 300)
	}
	switch {
	case call.Type() == fallacy.OK:
		return "ok" + why
	case call.Type() == fallacy.Fail:
		return "did not happen" + strings.TrimPrefix(why, ": did not happen")
	case call.Complete == nil:
		return "never answered: nobody knows"
	}
	return "nobody knows" + why
}
