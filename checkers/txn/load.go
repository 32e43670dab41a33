package txn

import (
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// unfit is why a history is not one that a checker can judge.
type unfit string

func (u unfit) Error() string { return string(u) }

func unfitf(format string, args ...any) error { return unfit(fmt.Sprintf(format, args...)) }

// loader takes in a history.
type loader struct {
	*history
	strings   map[string]int32 // keys by name
	ints      map[int]int32
	processes map[int]int32
}

// load takes in a history whose transactions write with the function isa. An
// unfit error says why it is none.
func load(input fallacy.History, isa string, r *rules) (*history, error) {
	l := loader{
		history:   &history{input: input, isa: isa, rules: r, patience: edgesForFirst},
		strings:   make(map[string]int32),
		ints:      make(map[int]int32),
		processes: make(map[int]int32),
	}
	l.txns = make([]txn, 0, len(input)/2+1)
	mops, writes := l.estimate()
	l.mops = make([]mop, 0, mops)
	l.expect(writes)
	open := make(map[int]int32)
	for i := range input {
		op := &input[i]
		if !op.IsClient() {
			continue
		}
		if op.Type == fallacy.Invoke {
			open[op.Process] = int32(i)
			continue
		}
		t := txn{invoke: none, complete: int32(i), outcome: op.Type}
		if at, ok := open[op.Process]; ok {
			t.invoke = at
			delete(open, op.Process)
		}
		if err := l.add(t); err != nil {
			return nil, err
		}
	}
	return l.history, l.pending(open)
}

// estimate returns about how many micro-ops and writes there are.
func (l *loader) estimate() (mops, writes int) {
	const samples = 1000
	step := len(l.input)/samples + 1
	for i := 0; i < len(l.input); i += step {
		ops, _ := l.input[i].Value.Txn()
		mops += len(ops)
		for j := range ops {
			if ops[j].F != "r" {
				writes++
			}
		}
	}
	scale := func(n int) int { return n*step/2 + n*step/16 + 64 } // of two ops a transaction
	return scale(mops), scale(writes)
}

// pending adds what was never answered.
func (l *loader) pending(open map[int]int32) error {
	var left []int32
	for _, at := range open {
		left = append(left, at)
	}
	slices.Sort(left)
	for _, at := range left {
		if err := l.add(txn{invoke: at, complete: none, outcome: fallacy.Info}); err != nil {
			return err
		}
	}
	return nil
}

// source returns the micro-ops to go by: of an answered transaction those of the
// answer, of any other those that were asked for, unless a client tells what it
// saw in spite of all. What was asked for tells of no read what it saw.
func (h *history) source(t *txn) (ops []fallacy.MicroOp, seen, ok bool) {
	if t.complete != none && (t.ok() || t.invoke == none) {
		ops, ok = h.input[t.complete].Value.Txn()
		return ops, t.possible(), ok
	}
	if t.complete != none && t.possible() {
		if ops, ok = h.input[t.complete].Value.Txn(); ok && len(ops) > 0 {
			return ops, true, true
		}
	}
	ops, ok = h.input[t.invoke].Value.Txn()
	return ops, false, ok
}

// add takes in a transaction.
func (l *loader) add(t txn) error {
	ops, seen, ok := l.source(&t)
	op := &l.input[max(t.invoke, t.complete)]
	if !ok {
		return unfitf("op %d: value is %v, want a list of micro-ops", op.Index, op.Value)
	}
	id, known := l.processes[op.Process]
	if !known {
		id = int32(len(l.processes))
		l.processes[op.Process] = id
	}
	t.process = id
	t.first = int32(len(l.mops))
	l.txns = append(l.txns, t)
	for i := range ops {
		if err := l.addOp(&ops[i], seen); err != nil {
			return fmt.Errorf("op %d: %w", op.Index, err)
		}
	}
	l.txns[len(l.txns)-1].last = int32(len(l.mops))
	return nil
}

func (l *loader) addOp(op *fallacy.MicroOp, seen bool) error {
	t := int32(len(l.txns) - 1)
	m := mop{key: l.key(op.Key)}
	switch {
	case op.F == l.isa:
		m.kind, m.version = write, l.intern(m.key, op.Value)
		l.mops = append(l.mops, m)
		return l.wrote(m.version, t)
	case op.F != "r":
		return unfitf(`micro-op %q of %v, want "r" or %q`, op.F, op.Key, l.isa)
	case !seen || op.Value.IsNil() && !l.txns[t].ok():
		m.kind, m.version = blind, none
	case l.isa == "append":
		list, ok := op.Value.List()
		if !ok && !op.Value.IsNil() {
			return unfitf("read %v from %v, want a list", op.Value, op.Key)
		}
		m.version, m.size = l.keys[m.key].initial, int32(len(list))
		l.keys[m.key].offer(list)
	case op.Value.IsNil():
		m.version = l.keys[m.key].initial
	default:
		m.version = l.intern(m.key, op.Value)
	}
	l.mops = append(l.mops, m)
	return nil
}

// rank orders outcomes by how sure it is that the transaction happened.
var rank = [...]int{fallacy.OK: 2, fallacy.Info: 1, fallacy.Fail: 0}

// wrote notes that the last micro-op, of transaction t, wrote a version.
func (l *loader) wrote(id, t int32) error {
	v, op := &l.all[id], int32(len(l.mops)-1)
	if v.writer == none {
		v.writer, v.write = t, op
		return nil
	}
	if l.isa == "append" {
		return unfitf("%v is appended to %s a second time: elements must be unique for a key", l.value(id), l.keyName(v.key))
	}
	if l.further == nil {
		l.further = make(map[int32][]int32)
	}
	v.multiple = true
	if rank[l.txns[t].outcome] > rank[l.txns[v.writer].outcome] {
		v.writer, v.write, op = t, op, v.write
	}
	l.further[id] = append(l.further[id], op)
	return nil
}

// key returns the number of a key.
func (l *loader) key(name fallacy.Value) int32 {
	s, isString := name.Str()
	n, isInt := name.Int()
	if !isString && !isInt { // an int or a string is all that a micro-op's key can be
		s, isString = name.String(), true
	}
	id, ok := l.ints[n]
	if isString {
		id, ok = l.strings[s]
	}
	if ok {
		return id
	}
	id = int32(len(l.keys))
	l.keys = append(l.keys, key{name: name, initial: l.newInitial(id)})
	if isString {
		l.strings[s] = id
	} else {
		l.ints[n] = id
	}
	return id
}
