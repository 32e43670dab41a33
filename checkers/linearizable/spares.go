package linearizable

// nameless stands for any value that nobody saw and no refusal wanted.
const nameless = -2

// spares are the writes and compare-and-sets of unknown outcome whose value
// nobody saw. They need not have happened. Where one explains a refusal, it comes
// right before that; at any earlier place it would explain no more.
//
// Writes of values that no compare-and-set names are all alike, but for
// when they were invoked, and the one invoked first serves in any place that
// another does. The others are tried one by one.
type spares struct {
	plain []interval // writes that are all alike, by invocation
	named []call     // others
	byOld map[int32][]int32
	loose []int32 // of named, the writes
	used  []bool
	spent int32 // of the plain
}

// The window's log holds spares as numbers below 0: plain ones as plainSpare,
// the others as their place's complement less one.
const plainSpare = -1

// spare puts the n-th spare that may come now in order, if a refusal that may
// come now needs another value than is there.
func (b *blocks) spare(value int32, n int) int32 {
	refused := false
	b.window.each(func(at int32) bool {
		refused = refused || b.calls[at].kind == refusal
		return false
	})
	if !refused {
		return none
	}
	s, w := &b.spares, b.window
	before := int32(never)
	if first := w.firstEnd(); first != none {
		before = b.intervalOf(first).end
	}
	for _, list := range [...][]int32{s.byOld[value], s.loose} {
		for _, i := range list {
			if s.used[i] || s.named[i].begin >= before || s.named[i].value == value {
				continue
			}
			if n == 0 {
				s.used[i] = true
				w.log = append(w.log, plainSpare-1-i)
				w.done = w.done.with(spareDigest(i))
				return s.named[i].value
			}
			n--
		}
	}
	if n == 0 && int(s.spent) < len(s.plain) && s.plain[s.spent].begin < before {
		s.spent++
		w.log = append(w.log, plainSpare)
		return nameless
	}
	return none
}

func spareDigest(i int32) digest { return digestOf(uint64(i) | 1<<40) }

func (b *blocks) intervalOf(at int32) interval { return interval{b.calls[at].begin, b.calls[at].end} }

// undo takes back the last thing put in order if it was a spare.
func (s *spares) undo(w *window) bool {
	last := w.log[len(w.log)-1]
	if last >= 0 {
		return false
	}
	w.log = w.log[:len(w.log)-1]
	if last == plainSpare {
		s.spent--
		return true
	}
	i := plainSpare - 1 - last
	s.used[i] = false
	w.done = w.done.with(spareDigest(i))
	return true
}
