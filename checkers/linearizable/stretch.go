package linearizable

import "github.com/fallacy-dev/fallacy"

// stretch is what a stretch of a history has of one key. Its clock and its
// numbers of values are its own, until gather puts the stretches together.
type stretch struct {
	key   fallacy.Value
	keyed bool
	vals  numbers
	calls pile
	late  []call // begun before the stretch, and what their completions say
	clock int32
	size  int // calls begun
}

// tick returns the time of the op that has come.
func (s *stretch) tick() int32 {
	s.clock++
	return s.clock - 1
}

// result returns what a completion carries for the key.
func (s *stretch) result(op *fallacy.Op) (out fallacy.Value, ok bool) {
	if !s.keyed {
		return op.Value, true
	}
	k, out, ok := op.Value.Tuple()
	return out, ok && k.Equal(s.key)
}

// pile is calls that come one by one, in blocks, so that it grows without moving
// what it has.
type pile struct {
	blocks [][]call
	len    int32
}

// blockBits is the logarithm of a block's size. The first grows up to it, as many
// keys have few calls.
const blockBits = 8

// add adds a call and returns its place.
func (p *pile) add(c call) int32 {
	last := len(p.blocks) - 1
	if p.len&(1<<blockBits-1) == 0 {
		var block []call
		if last >= 0 {
			block = make([]call, 0, 1<<blockBits)
		}
		p.blocks = append(p.blocks, block)
		last++
	}
	p.blocks[last] = append(p.blocks[last], c)
	p.len++
	return p.len - 1
}

func (p *pile) at(place int32) *call { return &p.blocks[place>>blockBits][place&(1<<blockBits-1)] }

// earlier finds what processes waited for when a stretch began, going back in
// the history no farther than it must.
type earlier struct {
	history fallacy.History
	at      int           // ops from here on have been looked at
	last    map[int]int32 // by process: its last op
}

// pending returns the invocation that the process waited for, if it did.
func (e *earlier) pending(process int) (place int32, ok bool) {
	if e.last == nil {
		e.last = make(map[int]int32)
	}
	for {
		if place, ok = e.last[process]; ok {
			return place, e.history[place].Type == fallacy.Invoke
		}
		if e.at == 0 {
			return none, false
		}
		e.at--
		if op := &e.history[e.at]; op.IsClient() {
			if _, later := e.last[op.Process]; !later {
				e.last[op.Process] = int32(e.at)
			}
		}
	}
}
