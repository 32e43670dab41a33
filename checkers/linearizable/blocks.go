package linearizable

import (
	"context"
	"errors"
)

// blocks searches for an order of a register's calls that has opaque refusals:
// compare-and-sets that found another value than they wanted and do not tell
// which. It goes from value to value, not from call to call.
//
// While a value is there, whoever saw it, and every refusal that wanted another,
// is put in order as soon as real time allows: such calls change nothing, so
// that no order gets lost. A value is left only when nobody is left to see it,
// and for good, since values are unique. If a cas took it, that is next; if not,
// the writes are tried in the order of their zones, in which all is well but for
// the refusals. Writes of unknown outcome that nobody saw may serve to explain a
// refusal, and are put in only right before one that needs it; see spare.
//
// It expects that the calls are in order but for refusals. What has failed once
// is not tried again.
type blocks struct {
	calls   []call
	window  *window
	next    []int32 // by value: the value that a cas put in its place, or none
	writer  []int32 // by value: the call
	readers []int32 // by value: how many are left
	rank    []int32 // by value: its place in the order of zones
	spares  spares
	frames  []frame
	failed  map[impasse]struct{}
}

// frame is a choice of the next value to be made.
type frame struct {
	value int32 // that is there
	base  int32 // length of the window's log
	tried int32 // rank of the value tried last; from len(rank) on it is of spares
}

// impasse is a place from which no order was found.
type impasse struct {
	done  digest
	value int32
	spent int32 // nameless spares
}

// errMemory says that a search outgrew its budget.
var errMemory = errors.New("the search needs more memory than its budget")

// impasseBytes is about what it takes to remember one.
const impasseBytes = 96

// search tells whether there is an order.
func (b *blocks) search(ctx context.Context, memory int) (bool, error) {
	b.failed = make(map[impasse]struct{})
	value := int32(0)
	for steps := 0; ; steps++ {
		if steps%1024 == 0 && ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		b.look(value)
		if b.window.required == 0 {
			return true, nil
		}
		if _, known := b.failed[b.here(value)]; !known {
			b.frames = append(b.frames, frame{value: value, base: int32(len(b.window.log)), tried: -1})
		}
		if value = b.advance(); value == none {
			return false, nil
		}
		if len(b.failed)*impasseBytes > memory {
			return false, errMemory
		}
	}
}

func (b *blocks) here(value int32) impasse {
	return impasse{b.window.done, value, b.spares.spent}
}

// look puts in order all that does not change the value, and may come now.
func (b *blocks) look(value int32) {
	b.window.each(func(at int32) bool {
		switch c := &b.calls[at]; {
		case c.kind == read && c.value == value:
			b.readers[value]--
		case c.kind == refusal && c.old != value:
		default:
			return false
		}
		b.window.take(at)
		return true
	})
}

// advance makes the next choice that has not been tried, and returns the value
// that then is there; none if there is no choice left.
func (b *blocks) advance() int32 {
	for len(b.frames) > 0 {
		f := &b.frames[len(b.frames)-1]
		b.undo(int(f.base))
		if value := b.choose(f); value != none {
			return value
		}
		b.failed[b.here(f.value)] = struct{}{}
		b.frames = b.frames[:len(b.frames)-1]
	}
	return none
}

func (b *blocks) undo(length int) {
	for len(b.window.log) > length {
		if b.spares.undo(b.window) {
			continue
		}
		if c := &b.calls[b.window.untake()]; c.kind == read {
			b.readers[c.value]++
		}
	}
}

// choose makes the frame's next choice.
func (b *blocks) choose(f *frame) int32 {
	if f.value >= 0 && b.readers[f.value] > 0 {
		return none
	}
	if f.value >= 0 && b.next[f.value] != none {
		return b.follow(f)
	}
	if int(f.tried) < len(b.rank) {
		if value := b.write(f); value != none {
			return value
		}
		f.tried = int32(len(b.rank)) - 1
	}
	f.tried++
	return b.spare(f.value, int(f.tried)-len(b.rank))
}

// follow puts the cas in order that took the frame's value.
func (b *blocks) follow(f *frame) int32 {
	if f.tried >= 0 {
		return none
	}
	f.tried = 0
	value := b.next[f.value]
	ready := false
	b.window.each(func(at int32) bool {
		ready = ready || at == b.writer[value]
		return false
	})
	if !ready {
		return none
	}
	b.window.take(b.writer[value])
	return value
}

// write puts the next write in order, by rank.
func (b *blocks) write(f *frame) int32 {
	best := int32(none)
	b.window.each(func(at int32) bool {
		c := &b.calls[at]
		if c.kind == write && b.rank[c.value] > f.tried && (best == none || b.rank[c.value] < b.rank[b.calls[best].value]) {
			best = at
		}
		return false
	})
	if best == none {
		return none
	}
	value := b.calls[best].value
	f.tried = b.rank[value]
	b.window.take(best)
	return value
}
