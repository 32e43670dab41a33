package linearizable

import (
	"fmt"
	"math"

	"github.com/fallacy-dev/fallacy"
)

// reader sorts a history's ops by key, in one pass: an invocation makes a call,
// and its completion finds it again by the process.
type reader struct {
	history fallacy.History
	refused func(completion fallacy.Op) bool
	all     []*register
	keys    numbers // of keys; less one, an index into keyed
	keyed   []int32 // indexes into all
	single  int32   // the one register without key; or none
	calls   []call  // of all registers, in the order of their invocations
	of      []int32 // whose call it is, once there are several
	pending processes
}

// registers sorts a history's calls by key.
func registers(h fallacy.History, options Options) ([]*register, error) {
	if len(h) >= math.MaxInt32 {
		return nil, fmt.Errorf("a history of %d ops: the most is %d", len(h), math.MaxInt32-1)
	}
	in := reader{history: h, refused: options.Refused, single: none, calls: make([]call, 0, len(h)/2+1)}
	for i := range h {
		op := &h[i]
		if !op.IsClient() {
			continue
		}
		if op.Type == fallacy.Invoke {
			if err := in.invoke(int32(i), op); err != nil {
				return nil, err
			}
			continue
		}
		if slot, ok := in.pending.take(op.Process); ok {
			r := in.all[slot.register]
			if err := r.complete(&in.calls[slot.call], op, in.refused); err != nil {
				return nil, err
			}
		}
	}
	in.deal()
	return in.all, nil
}

// deal gives each register its calls, but for those that constrain nothing:
// reads without an answer, and what failed without showing anything.
func (in *reader) deal() {
	if len(in.all) == 1 {
		r := in.all[0]
		r.calls = in.calls[:0]
		for i := range in.calls {
			if in.calls[i].counts() {
				r.calls = append(r.calls, in.calls[i])
			}
		}
		return
	}
	for _, r := range in.all {
		r.calls = make([]call, 0, r.size)
	}
	for i := range in.calls {
		if in.calls[i].counts() {
			r := in.all[in.of[i]]
			r.calls = append(r.calls, in.calls[i])
		}
	}
}

// invoke makes a call of an invocation.
func (in *reader) invoke(place int32, op *fallacy.Op) error {
	key, arg, keyed, err := argument(op)
	if err != nil {
		return err
	}
	at := in.register(key, keyed)
	r := in.all[at]
	r.size++
	c := call{op: place, begin: r.tick(), end: never}
	switch op.F {
	case "read":
		c.kind = read
	case "write":
		c.kind, c.value = write, r.vals.of(arg)
	case "cas":
		from, to, _ := arg.Tuple()
		c.kind, c.old, c.value = cas, r.vals.of(from), r.vals.of(to)
	}
	in.pending.put(op.Process, slot{at, int32(len(in.calls))})
	in.calls = append(in.calls, c)
	if len(in.all) > 1 {
		in.of = append(in.of, at)
	}
	return nil
}

// register returns the index of the key's register.
func (in *reader) register(key fallacy.Value, keyed bool) int32 {
	if !keyed {
		if in.single == none {
			in.single = in.add(&register{history: in.history})
		}
		return in.single
	}
	n := int(in.keys.of(key))
	if n < len(in.keyed) && in.keyed[n] != none {
		return in.keyed[n]
	}
	for len(in.keyed) <= n {
		in.keyed = append(in.keyed, none)
	}
	in.keyed[n] = in.add(&register{history: in.history, key: key, keyed: true, name: keyText(key)})
	return in.keyed[n]
}

// add adds a register. Whose calls they are is noted from the second one on.
func (in *reader) add(r *register) int32 {
	if len(in.all) == 1 {
		in.of = make([]int32, len(in.calls), cap(in.calls))
	}
	in.all = append(in.all, r)
	return int32(len(in.all) - 1)
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

// complete adds to a call what its completion says.
func (r *register) complete(c *call, op *fallacy.Op, refused func(fallacy.Op) bool) error {
	now := r.tick()
	switch op.Type {
	case fallacy.OK:
		c.end, c.known = now, true
		if c.kind != read {
			return nil
		}
		out, ok := r.result(op)
		if !ok {
			return fmt.Errorf("op %d: read of %v completed with %v", op.Index, r.history[c.op].Value, op.Value)
		}
		c.value = r.vals.of(out)
	case fallacy.Fail:
		c.end = now
		r.fail(c, op, refused)
	}
	return nil
}

// fail turns a failed call into what it shows, if it shows anything: a cas that
// tells what it saw is a read.
func (r *register) fail(c *call, op *fallacy.Op, refused func(fallacy.Op) bool) {
	was := c.kind
	c.kind = nothing
	if was != cas {
		return
	}
	_, arg, _, _ := argument(&r.history[c.op])
	if seen, ok := r.result(op); ok && !seen.Equal(arg) {
		c.kind, c.known, c.value = read, true, r.vals.of(seen)
	} else if refused != nil && refused(*op) {
		c.kind, c.known = refusal, true
	}
}

// result returns what a completion carries for the register's key.
func (r *register) result(op *fallacy.Op) (out fallacy.Value, ok bool) {
	if !r.keyed {
		return op.Value, true
	}
	k, out, ok := op.Value.Tuple()
	return out, ok && k.Equal(r.key)
}
