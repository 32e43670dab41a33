package txn

// touch is what others can tell of a transaction's doings with a key.
type touch struct {
	txn, key int32
	read     int32 // the version it found; none if it wrote first
	wrote    int32 // the one it left; none if it wrote none
}

// foundBy returns the version by which a transaction comes after others, and left
// the one by which it comes before them.
func (h *history) foundBy(t *touch) int32 {
	if t.read != none && (!h.all[t.read].initial || t.wrote == none) {
		return t.read
	}
	return t.wrote
}

func (t *touch) left() int32 {
	if t.wrote != none {
		return t.wrote
	}
	return t.read
}

// touches returns them, by transaction.
func (h *history) touches() []touch {
	all := make([]touch, 0, len(h.mops))
	seen := make([]int32, len(h.keys)) // place of the transaction's touch, from 1
	for t := range h.txns {
		if !h.txns[t].possible() {
			continue
		}
		from := int32(len(all))
		mops := h.at(int32(t))
		for i := range mops {
			m := &mops[i]
			if !m.external {
				continue
			}
			if seen[m.key] <= from {
				all = append(all, touch{int32(t), m.key, none, none})
				seen[m.key] = int32(len(all))
			}
			if m.kind == write {
				all[seen[m.key]-1].wrote = m.version
			} else if h.txns[t].ok() {
				all[seen[m.key]-1].read = m.version
			}
		}
	}
	return all
}

// touched is all touches by key, in two orders.
type touched struct {
	*history
	all   []touch
	first []int32 // of each key, its first touch in ended; one more at the end
	ended []int32 // places in all by completion
	begun []int32 // and by invocation; those of which that is not known come first
}

func newTouched(h *history, all []touch) *touched {
	k := &touched{history: h, all: all, first: make([]int32, len(h.keys)+1)}
	for i := range all {
		k.first[all[i].key+1]++
	}
	for i := range h.keys {
		k.first[i+1] += k.first[i]
	}
	txns := make([]int32, len(h.txns))
	for t := range txns {
		txns[t] = int32(t)
	}
	k.ended = k.byKey(txns)
	k.begun = k.byKey(h.byInvocation(txns))
	return k
}

// byKey sorts the touches of transactions in some order by key.
func (k *touched) byKey(txns []int32) []int32 {
	from := make([]int32, len(k.txns)+1) // the first touch of each transaction
	for i := range k.all {
		from[k.all[i].txn+1]++
	}
	for t := range k.txns {
		from[t+1] += from[t]
	}
	next := make([]int32, len(k.keys))
	copy(next, k.first)
	out := make([]int32, len(k.all))
	for _, t := range txns {
		for i := from[t]; i < from[t+1]; i++ {
			key := k.all[i].key
			out[next[key]] = i
			next[key]++
		}
	}
	return out
}

// sequential adds that the versions of a key are in the order in which each
// process touched it.
func (k *touched) sequential(o *overwrites) {
	last := make(map[int32]*touch)
	for key := range k.keys {
		clear(last)
		ended := k.ended[k.first[key]:k.first[key+1]]
		for i := range ended {
			b := &k.all[ended[i]]
			t := &k.txns[b.txn]
			if !t.ok() {
				continue
			}
			if a := last[t.process]; a != nil {
				o.overwrite(a.left(), k.foundBy(b), because{a.txn, b.txn, sequentialKeys})
			}
			last[t.process] = b
		}
	}
}

// linearizable adds that the versions of a key are in the order of real time: for
// each touch the versions that the last ones before it left. The earlier ones are
// in order with it by way of these; see retire.
func (k *touched) linearizable(o *overwrites) {
	lastTo := make([]int32, len(k.versions.all)) // of each version, the last that came after it, from 1: most repeat
	done := make([]bool, len(k.versions.all))    // versions that a touch that has ended left
	var latest []*touch
	for key := range k.keys {
		ended := k.ended[k.first[key]:k.first[key+1]]
		begun := k.begun[k.first[key]:k.first[key+1]]
		latest = latest[:0]
		next := 0
		for i := range begun {
			b := &k.all[begun[i]]
			invoked := k.txns[b.txn].invoke
			if invoked == none {
				continue
			}
			for next < len(ended) && k.ends(&k.all[ended[next]]) < invoked {
				latest = k.retire(latest, &k.all[ended[next]], done)
				next++
			}
			found := k.foundBy(b)
			for _, a := range latest {
				if v := a.left(); v != found && lastTo[v] != found+1 {
					lastTo[v] = found + 1
					o.overwrite(v, found, because{a.txn, b.txn, linearizableKeys})
				}
			}
		}
	}
}

func (k *touched) ends(t *touch) int32 {
	if end := k.txns[t.txn].complete; end != none {
		return end
	}
	return int32(len(k.input))
}

// retire adds x, which has ended, to the latest touches. Those that had ended
// before x began are no longer needed, as what they left came before what x found,
// and that before all that is found from now on: if x left it too, or another that
// has ended. (What x found need not come before what x left, but for WFRKeys.)
func (k *touched) retire(latest []*touch, x *touch, done []bool) []*touch {
	if !k.txns[x.txn].ok() {
		return latest
	}
	left, found := x.left(), k.foundBy(x)
	kept := latest[:0]
	for _, a := range latest {
		implied := left == found || done[found] && a.left() != found
		if k.txns[a.txn].complete > k.txns[x.txn].invoke || !implied {
			kept = append(kept, a)
		}
	}
	done[left] = true
	return append(kept, x)
}
