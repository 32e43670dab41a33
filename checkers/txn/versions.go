package txn

import "github.com/fallacy-dev/fallacy"

// version is a value of a register, or an element of a list. For each key there
// is one more, the initial version, which nobody wrote.
type version struct {
	n        int64 // the value, if it is an int; else its place in versions.others
	key      int32
	place    int32 // in the order of the key's list; none if no read shows it
	writer   int32 // the first that wrote it, of those whose outcome is best; none
	write    int32 // the writer's micro-op
	other    bool  // the value is not an int
	initial  bool
	multiple bool // there are further writers, in versions.further
}

// versions are all versions of all keys. A table of its own finds them by key
// and value, as Go's maps take several times as long for millions.
type versions struct {
	all     []version
	table   []int32 // by hash, one more than a version's index; 0 is free
	used    int
	others  []fallacy.Value
	ids     map[string]int64 // places in others, by JSON form
	further map[int32][]int32
}

// newInitial makes the initial version of a key.
func (v *versions) newInitial(key int32) int32 {
	v.all = append(v.all, version{key: key, place: none, writer: none, write: none, initial: true})
	return int32(len(v.all) - 1)
}

// intern returns the version of a key with a value; it may be new.
func (v *versions) intern(key int32, value fallacy.Value) int32 {
	n, isInt := value.Int()
	wanted := version{n: int64(n), key: key, place: none, writer: none, write: none}
	if !isInt {
		wanted.n, wanted.other = v.otherID(value), true
	}
	if v.used*2 > len(v.table) {
		v.grow()
	}
	mask := uint64(len(v.table) - 1)
	for at := wanted.hash() & mask; ; at = (at + block) & mask {
		id := v.table[at] - 1
		if id == none {
			v.all = append(v.all, wanted)
			v.used++
			v.table[at] = int32(len(v.all))
			return int32(len(v.all) - 1)
		}
		if have := &v.all[id]; have.n == wanted.n && have.key == key && have.other == wanted.other {
			return id
		}
	}
}

// block is how many neighbours stay together in the table.
const block = 16

// hash spreads blocks of values, of which neighbours stay neighbours: elements are
// mostly counted up, and found again in their order. Who meets another goes on to
// the same place of the next block.
func (w *version) hash() uint64 {
	x := uint64(w.n)/block ^ uint64(uint32(w.key))<<32
	if w.other {
		x = ^x
	}
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xbf58476d1ce4e5b9
	return (x^x>>32)*block | uint64(w.n)%block
}

// expect makes room for versions.
func (v *versions) expect(n int) {
	v.all = make([]version, 0, n+n/8+64)
	size := 64 * block
	for size < 2*n {
		size *= 2
	}
	v.table = make([]int32, size)
}

func (v *versions) grow() {
	v.table = make([]int32, 2*len(v.table))
	mask := uint64(len(v.table) - 1)
	for id := range v.all {
		if v.all[id].initial {
			continue
		}
		at := v.all[id].hash() & mask
		for v.table[at] != 0 {
			at = (at + block) & mask
		}
		v.table[at] = int32(id + 1)
	}
}

func (v *versions) otherID(value fallacy.Value) int64 {
	form := value.String()
	id, ok := v.ids[form]
	if !ok {
		if v.ids == nil {
			v.ids = make(map[string]int64)
		}
		id = int64(len(v.others))
		v.ids[form] = id
		v.others = append(v.others, value)
	}
	return id
}

// value returns the value of a version; nil for an initial one.
func (v *versions) value(id int32) fallacy.Value {
	switch w := &v.all[id]; {
	case w.initial:
		return fallacy.Nil()
	case w.other:
		return v.others[w.n]
	default:
		return fallacy.Int(int(w.n))
	}
}

func (v *versions) values(ids []int32) fallacy.Value {
	list := make([]fallacy.Value, len(ids))
	for i, id := range ids {
		list[i] = v.value(id)
	}
	return fallacy.List(list...)
}

// writes returns the micro-ops that write a version: one, or none, or, in
// registers, several.
func (v *versions) writes(id int32) []int32 {
	w := &v.all[id]
	if w.writer == none {
		return nil
	}
	if !w.multiple {
		return []int32{w.write}
	}
	return append([]int32{w.write}, v.further[id]...)
}
