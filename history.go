package fallacy

import (
	"fmt"
	"iter"
	"time"
)

// History is all ops of a run, in the order in which they were recorded.
type History []Op

// Call is an invocation with its completion.
type Call struct {
	Invoke   *Op
	Complete *Op // nil when it was never answered
}

// Type returns how the call ended; a call that was never answered is Info.
func (c Call) Type() Type {
	if c.Complete == nil {
		return Info
	}
	return c.Complete.Type
}

// Value returns what an OK call observed, and what any other was asked for.
func (c Call) Value() Value {
	if c.Type() == OK {
		return c.Complete.Value
	}
	return c.Invoke.Value
}

// End returns when the call ended; ok is false if it may still take effect at
// any later time, which is so after Info.
func (c Call) End() (end time.Duration, ok bool) {
	if c.Type() == Info {
		return 0, false
	}
	return c.Complete.Time, true
}

// Ops returns the indexes of the call's ops.
func (c Call) Ops() []int {
	if c.Complete == nil {
		return []int{c.Invoke.Index}
	}
	return []int{c.Invoke.Index, c.Complete.Index}
}

// Calls iterates over the clients' calls in the order of their invocations.
func (h History) Calls() iter.Seq[Call] { return h.calls(Op.IsClient) }

// Faults iterates over what the nemeses did, in order: each call's F is "inject" or "heal".
func (h History) Faults() iter.Seq[Call] {
	return h.calls(func(o Op) bool { return !o.IsClient() })
}

func (h History) calls(want func(Op) bool) iter.Seq[Call] {
	return func(yield func(Call) bool) {
		completions := h.completions()
		for i := range h {
			if h[i].Type != Invoke || !want(h[i]) {
				continue
			}
			c := Call{Invoke: &h[i]}
			if j := completions[i]; j > 0 {
				c.Complete = &h[j]
			}
			if !yield(c) {
				return
			}
		}
	}
}

// actor is who performs one op at a time.
type actor struct {
	process int
	nemesis string
}

// completions returns, for each invocation, the index of its completion; 0 for
// none, as the first op of a history completes nothing.
func (h History) completions() []int32 {
	completions := make([]int32, len(h))
	var open openCalls
	for i := range h {
		if h[i].Type == Invoke {
			open.put(&h[i], i)
		} else if at := open.take(&h[i]); at >= 0 {
			completions[at] = int32(i)
		}
	}
	return completions
}

// openCalls remembers the invocation that each actor waits to see answered.
// Clients have small numbers as a rule, and then a slice does.
type openCalls struct {
	clients []int32 // index of the invocation, plus one, by process
	others  map[actor]int
	calls   int // how many were put
}

// clientsDense is how many times more than there are calls a client's number may
// be and still be looked up in a slice.
const clientsDense = 4

func (o *openCalls) put(op *Op, index int) {
	o.calls++
	if op.Nemesis == "" && op.Process >= 0 && op.Process < clientsDense*o.calls+1024 {
		for len(o.clients) <= op.Process {
			o.clients = append(o.clients, 0)
		}
		o.clients[op.Process] = int32(index + 1)
		if len(o.others) > 0 {
			delete(o.others, actor{op.Process, ""})
		}
		return
	}
	if o.others == nil {
		o.others = make(map[actor]int)
	}
	o.others[actor{op.Process, op.Nemesis}] = index
}

// take returns the index of the invocation that op answers, or -1.
func (o *openCalls) take(op *Op) int {
	if op.Nemesis == "" && op.Process >= 0 && op.Process < len(o.clients) && o.clients[op.Process] > 0 {
		at := int(o.clients[op.Process]) - 1
		o.clients[op.Process] = 0
		return at
	}
	if len(o.others) > 0 {
		who := actor{op.Process, op.Nemesis}
		if at, ok := o.others[who]; ok {
			delete(o.others, who)
			return at
		}
	}
	return -1
}

// Validate returns an error that names the first op that no run can have
// recorded: a completion that answers nothing, a second invocation by a process
// that still waits, an op by a client that was retired, time that runs backwards.
func (h History) Validate() error {
	open := make(map[actor]bool)
	retired := make(map[int]bool)
	var last time.Duration
	for i, op := range h {
		who := actor{op.Process, op.Nemesis}
		switch {
		case op.Type == Invoke && open[who]:
			return fmt.Errorf("op %d: process %s invokes %s before its last call was answered", i, op.who(), op.F)
		case op.Type == Invoke && op.IsClient() && retired[op.Process]:
			return fmt.Errorf("op %d: process %d acts although its outcome at an earlier op is not known", i, op.Process)
		case op.Type != Invoke && !open[who] && op.IsClient():
			return fmt.Errorf("op %d: process %s completes %s without having invoked it", i, op.who(), op.F)
		case op.Time < last:
			return fmt.Errorf("op %d: time %v is before %v of the op before it", i, op.Time, last)
		}
		open[who] = op.Type == Invoke
		if op.Type == Info && op.IsClient() {
			retired[op.Process] = true
		}
		last = op.Time
	}
	return nil
}
