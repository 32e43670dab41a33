package linearizable

import (
	"fmt"
	"math"

	"github.com/fallacy-dev/fallacy"
)

// stretchLength is how many ops of a history one goroutine reads. It is the same
// on every machine, so that the same history has the same anomalies everywhere.
const (
	stretchLength = 1 << 19
	stretchesMax  = 64
)

// registers sorts a history's calls by key, reading stretches of at least the
// length in parallel. The registers come in the order of their first calls, and
// have none of them yet: see gather.
func registers(h fallacy.History, refused func(fallacy.Op) bool, length int) ([]*register, error) {
	if len(h) >= math.MaxInt32 {
		return nil, fmt.Errorf("a history of %d ops: the most is %d", len(h), math.MaxInt32-1)
	}
	length = max(length, (len(h)+stretchesMax-1)/stretchesMax)
	stretches := make([]*reader, (len(h)+length-1)/length)
	errs := make([]error, len(stretches))
	biggestFirst(len(stretches), func(int) int { return 0 }, func(i int) {
		in := &reader{history: h, from: i * length, refused: refused, single: none}
		errs[i] = in.read(min(len(h), (i+1)*length))
		stretches[i] = in
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return byKey(h, stretches), nil
}

// byKey makes a register of what the stretches have of one key.
func byKey(h fallacy.History, stretches []*reader) []*register {
	var all []*register
	var keys index
	single := int32(none)
	for _, in := range stretches {
		for _, s := range in.all {
			at := &single
			if s.keyed {
				at = keys.place(s.key)
			}
			if *at == none {
				*at = int32(len(all))
				r := &register{history: h, key: s.key, keyed: s.keyed}
				if s.keyed {
					r.name = keyText(s.key)
				}
				all = append(all, r)
			}
			r := all[*at]
			r.size += s.size
			r.stretches = append(r.stretches, s)
		}
	}
	return all
}

// index finds what belongs to a key.
type index struct {
	keys  numbers
	where []int32
}

// place returns where the place of the key is noted; it is none at first.
func (x *index) place(key fallacy.Value) *int32 {
	n := int(x.keys.of(key))
	for len(x.where) <= n {
		x.where = append(x.where, none)
	}
	return &x.where[n]
}

// reader sorts the ops of a stretch of a history by key, in one pass: an
// invocation makes a call, and its completion finds it again by the process.
type reader struct {
	history fallacy.History
	from    int
	refused func(completion fallacy.Op) bool
	all     []*stretch
	keys    index // of places in all
	single  int32 // the one stretch without key; or none
	pending processes
	before  earlier
}

// read reads up to the op at the place to.
func (in *reader) read(to int) error {
	in.before = earlier{history: in.history, at: in.from}
	for i := in.from; i < to; i++ {
		op := &in.history[i]
		if !op.IsClient() {
			continue
		}
		if op.Type == fallacy.Invoke {
			if err := in.invoke(int32(i), op); err != nil {
				return err
			}
			continue
		}
		slot, known := in.pending.take(op.Process)
		switch {
		case slot.stretch >= 0:
			s := in.all[slot.stretch]
			if err := in.complete(s, s.calls.at(slot.call), op); err != nil {
				return err
			}
		case !known:
			if err := in.late(op); err != nil {
				return err
			}
		}
	}
	return nil
}

// invoke makes a call of an invocation.
func (in *reader) invoke(place int32, op *fallacy.Op) error {
	at, c, err := in.asked(place, op)
	if err != nil {
		return err
	}
	s := in.all[at]
	s.size++
	c.begin = s.tick()
	in.pending.put(op.Process, slot{at, s.calls.add(c)})
	return nil
}

// asked returns what an invocation asks for, and of which stretch.
func (in *reader) asked(place int32, op *fallacy.Op) (at int32, c call, err error) {
	key, arg, keyed, err := argument(op)
	if err != nil {
		return none, c, err
	}
	at = in.stretch(key, keyed)
	s := in.all[at]
	c = call{op: place, end: never}
	switch op.F {
	case "read":
		c.kind = read
	case "write":
		c.kind, c.value = write, s.vals.of(arg)
	case "cas":
		from, to, _ := arg.Tuple()
		c.kind, c.old, c.value = cas, s.vals.of(from), s.vals.of(to)
	}
	return at, c, nil
}

// late notes a completion whose invocation lies before the stretch.
func (in *reader) late(op *fallacy.Op) error {
	place, ok := in.before.pending(op.Process)
	if !ok {
		return nil
	}
	at, c, err := in.asked(place, &in.history[place])
	if err != nil {
		return err
	}
	s := in.all[at]
	err = in.complete(s, &c, op)
	s.late = append(s.late, c)
	return err
}

// stretch returns the place of the key's stretch in all.
func (in *reader) stretch(key fallacy.Value, keyed bool) int32 {
	at := &in.single
	if keyed {
		at = in.keys.place(key)
	}
	if *at == none {
		*at = int32(len(in.all))
		in.all = append(in.all, &stretch{key: key, keyed: keyed, vals: numbers{afloat: true}})
	}
	return *at
}

// complete adds to a call what its completion says.
func (in *reader) complete(s *stretch, c *call, op *fallacy.Op) error {
	now := s.tick()
	switch op.Type {
	case fallacy.OK:
		c.end, c.known = now, true
		if c.kind != read {
			return nil
		}
		out, ok := s.result(op)
		if !ok {
			return fmt.Errorf("op %d: read of %v completed with %v", op.Index, in.history[c.op].Value, op.Value)
		}
		c.value = s.vals.of(out)
	case fallacy.Fail:
		c.end = now
		in.fail(s, c, op)
	}
	return nil
}

// fail turns a failed call into what it shows, if it shows anything: a cas that
// tells what it saw is a read.
func (in *reader) fail(s *stretch, c *call, op *fallacy.Op) {
	was := c.kind
	c.kind = nothing
	if was != cas {
		return
	}
	_, arg, _, _ := argument(&in.history[c.op])
	if seen, ok := s.result(op); ok && !seen.Equal(arg) {
		c.kind, c.known, c.value = read, true, s.vals.of(seen)
	} else if in.refused != nil && in.refused(*op) {
		c.kind, c.known = refusal, true
	}
}

// argument splits the invocation's value into key and argument. Without keys, a
// read has nil, a write no pair, a cas a pair whose second part is no pair.
func argument(op *fallacy.Op) (key, arg fallacy.Value, keyed bool, err error) {
	v := op.Value
	first, second, isPair := v.Tuple()
	switch op.F {
	case "read", "write":
		keyed = isPair
	case "cas":
		if !isPair {
			return key, arg, false, fmt.Errorf("op %d: cas of %v, want [old, new] or [key, [old, new]]", op.Index, v)
		}
		_, _, keyed = second.Tuple()
	default:
		return key, arg, false, fmt.Errorf("op %d: f is %q, want read, write or cas", op.Index, op.F)
	}
	if keyed {
		return first, second, true, nil
	}
	return key, v, false, nil
}
