package linearizable

import (
	"cmp"
	"slices"
)

// gather gives the register its calls, from the stretches, but for those that
// constrain nothing: reads without an answer, and what failed without showing
// anything.
func (r *register) gather() {
	r.calls = make([]call, 0, r.size)
	idle := 0
	for i, s := range r.stretches {
		in := r.join(s, i == 0)
		for _, c := range s.late {
			idle += r.finish(in.of(c))
		}
		for _, block := range s.calls.blocks {
			for _, c := range block {
				if !c.counts() {
					idle++
				}
				r.calls = append(r.calls, in.of(c))
			}
		}
		r.clock += s.clock
		r.stretches[i] = nil // it is as large as what was made of it
	}
	r.stretches = nil
	if idle > 0 {
		r.calls = slices.DeleteFunc(r.calls, func(c call) bool { return !c.counts() })
	}
}

// finish adds to a call what is said of it later, and returns by how many more
// calls constrain nothing.
func (r *register) finish(c call) int {
	at, ok := slices.BinarySearchFunc(r.calls, c.op, func(have call, op int32) int { return cmp.Compare(have.op, op) })
	if !ok {
		return 0
	}
	was := &r.calls[at]
	c.begin = was.begin
	change := 0
	if was.counts() {
		change++
	}
	if c.counts() {
		change--
	}
	*was = c
	return change
}

// joint turns a stretch's times and numbers into the register's.
type joint struct {
	later   int32
	numbers []int32 // by the stretch's; nil: they are the same
}

// join numbers the stretch's values.
func (r *register) join(s *stretch, first bool) joint {
	if first {
		r.vals = s.vals
		return joint{}
	}
	return joint{later: r.clock, numbers: r.vals.add(&s.vals)}
}

func (in *joint) of(c call) call {
	if c.end != never {
		c.end += in.later
	}
	c.begin += in.later
	if in.numbers != nil {
		c.value, c.old = in.numbers[c.value], in.numbers[c.old]
	}
	return c
}
