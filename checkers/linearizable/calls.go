package linearizable

import (
	"math"

	"github.com/fallacy-dev/fallacy"
)

// kind is what a call does to a register.
type kind uint8

const (
	read    kind = iota // value was seen
	write               // value is written
	cas                 // value is written if old is there
	refusal             // old was not there
	nothing             // it failed, and shows nothing
)

// never is the end of a call that may still take effect at any later time.
const never = math.MaxInt32

// endOf returns the index at which a call had certainly taken effect, or not.
func endOf(c fallacy.Call) int {
	if c.Type() == fallacy.Info {
		return never
	}
	return c.Complete.Index
}

// opOf names the op by which a call is best found.
func opOf(c fallacy.Call) int {
	if c.Complete == nil {
		return c.Invoke.Index
	}
	return c.Complete.Index
}

// call is what a client asked of one register, and what it was told. Histories
// have millions of them: what is needed for a sentence alone is looked up in the
// history by op.
type call struct {
	op         int32 // place of the invocation in the history
	begin, end int32 // by the register's clock
	value, old int32
	kind       kind
	known      bool // it took effect: it was answered ok
}

// register is the calls of one key. Its clock ticks at each op of the key.
type register struct {
	history fallacy.History
	key     fallacy.Value
	keyed   bool
	name    string // how a sentence names it; empty when there is but one
	vals    numbers
	calls   []call // in the order of their invocations
	clock   int32
	size    int  // calls, with those left out
	short   bool // calls that began later are left out
}

// Options say how [RegisterWith] is to read a history, and what it may spend.
type Options struct {
	Budget

	// Refused tells of a failed cas that reports no value seen whether it was
	// refused because the value differed. Nil: of none that is known, and such a
	// cas proves nothing. Where it is told, the exact problem is NP-hard, and the
	// key may need a search.
	Refused func(completion fallacy.Op) bool
}

// tick returns the time of the op that has come.
func (r *register) tick() int32 {
	r.clock++
	return r.clock - 1
}

// at returns the call at a place as the history has it.
func (r *register) at(place int32) fallacy.Call { return callAt(r.history, int(r.calls[place].op)) }

func callAt(h fallacy.History, from int) fallacy.Call {
	c := fallacy.Call{Invoke: &h[from]}
	for i := from + 1; i < len(h); i++ {
		if h[i].Process != c.Invoke.Process {
			continue
		}
		if h[i].Type != fallacy.Invoke {
			c.Complete = &h[i]
		}
		break
	}
	return c
}

// counts tells whether the call constrains anything.
func (c *call) counts() bool { return c.kind != nothing && (c.kind != read || c.known) }

func keyText(key fallacy.Value) string {
	if s, ok := key.Str(); ok {
		return s
	}
	return key.String()
}
