package linearizable

// zones finds two chains that must precede each other. The zone of a chain lies
// between its first end and its last beginning. Two chains contradict each other
// if their zones overlap and both are forward, or if a backward zone lies inside
// a forward one; and if no two do, the order of the zones' left ends is one in
// which all calls can have taken effect.
func (r *register) zones(entries []entry, chains []chain) *violation {
	var widest *chain // of the forward ones so far, the one that reaches farthest
	for _, at := range r.byLeft(chains) {
		if at == 0 {
			continue
		}
		c := &chains[at-1]
		if widest != nil {
			reach := widest.right()
			if c.forward() && c.left() < reach || c.right() < reach {
				return r.contradiction(entries, widest, c)
			}
		}
		if c.forward() && (widest == nil || c.right() > widest.right()) {
			widest = c
		}
	}
	return nil
}

// byLeft returns the places of chains, from 1, in the order of the left ends of
// their zones, with 0 in between. Each left end is an op of its own, so that
// no sort is needed.
func (r *register) byLeft(chains []chain) []int32 {
	order := make([]int32, r.clock+1)
	for i := range chains {
		order[chains[i].left()+1] = int32(i + 1)
	}
	return order
}
