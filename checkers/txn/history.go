package txn

import (
	"fmt"

	"github.com/fallacy-dev/fallacy"
)

// none is the index of what there is not.
const none = -1

// txn is a transaction. It is known by the place of its completion among all, and
// those never answered come last. Its outcome is an op's type other than invoke.
type txn struct {
	first, last      int32 // its micro-ops are mops[first:last]
	invoke, complete int32 // places in the history; none if there is no such op
	process          int32 // number of its process, as they come
	outcome          fallacy.Type
}

func (t *txn) ok() bool { return t.outcome == fallacy.OK }

// possible tells whether the transaction may have happened.
func (t *txn) possible() bool { return t.outcome != fallacy.Fail }

// Kinds of micro-ops.
const (
	read  = iota // it saw a version
	blind        // a read of which nobody knows what it saw
	write        // it wrote or appended one
)

// mop is a micro-op, in constant memory. A read list is the version that its last
// element made, and how long it is: the rest is the key's order up to there.
type mop struct {
	key     int32
	version int32 // what it wrote or saw; the key's initial one for nil and []
	size    int32 // of a read list; if negative, the list is odd[-size-1]
	kind    uint8

	// external: others can tell. It is the first of the transaction's micro-ops on
	// the key, and a read; or the last of its writes.
	external bool
}

// key is a list or a register.
type key struct {
	name    fallacy.Value
	initial int32 // the version before all others
	lists
}

// history is a history in compact form.
type history struct {
	input fallacy.History
	isa   string // the function that writes: "append" or "w"
	*rules
	txns []txn
	mops []mop
	keys []key
	odd  [][]int32 // lists, as versions, that are not the beginning of their key's order
	versions
	overwrote *overwrites // of registers: which versions came before which
	found     evidence
	scratch   []int32

	patience int // edges to look at for a G-single by one search after another
}

// at returns a transaction's micro-ops.
func (h *history) at(t int32) []mop { return h.mops[h.txns[t].first:h.txns[t].last] }

// owner returns the transaction of a micro-op, which come in order.
func (h *history) owner(op int32) int32 {
	lo, hi := 0, len(h.txns)
	for lo+1 < hi {
		if mid := (lo + hi) / 2; h.txns[mid].first <= op {
			lo = mid
		} else {
			hi = mid
		}
	}
	return int32(lo)
}

// op returns the index by which people know a transaction: its completion's.
func (h *history) op(t int32) int {
	if c := h.txns[t].complete; c != none {
		return h.input[c].Index
	}
	return h.input[h.txns[t].invoke].Index
}

// ops returns the indexes of the ops of a transaction.
func (h *history) ops(t int32) []int {
	var ops []int
	for _, at := range []int32{h.txns[t].invoke, h.txns[t].complete} {
		if at != none {
			ops = append(ops, h.input[at].Index)
		}
	}
	return ops
}

// name names a transaction in a sentence.
func (h *history) name(t int32) string {
	op := &h.input[max(h.txns[t].invoke, h.txns[t].complete)]
	return fmt.Sprintf("process %d's transaction (op %d)", op.Process, op.Index)
}

// keyName names a key in a sentence.
func (h *history) keyName(k int32) string {
	if s, ok := h.keys[k].name.Str(); ok {
		return s
	}
	return h.keys[k].name.String()
}
