package fallacy

import (
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Kind says which of the few shapes a [Value] has.
type Kind uint8

// The kinds of values, a closed set.
const (
	KindNil Kind = iota
	KindBool
	KindInt
	KindString
	KindList   // values in order; a list of two is also a tuple
	KindTxn    // micro-ops in order
	KindObject // fields by name, for what a nemesis reports
)

// Value is what an op carries: a small closed sum, as slog.Value is. The zero
// Value is nil. Nil, bools, ints and strings are made without allocating.
//
// A Value has exactly one JSON form, and reading that form gives an equal Value
// back: what is read from disk cannot be told from what was just recorded.
// For that reason a tuple is a list of two, and a non-empty list whose every
// element is a micro-op in JSON's eyes is a transaction.
type Value struct {
	_    [0]func() // not comparable with ==, which would compare addresses; see Equal
	num  int64     // the bool or int, else the length
	ptr  unsafe.Pointer
	kind Kind
}

// MicroOp is one step of a transaction: read "r", write "w", "append", or
// another function a workload defines, of one key.
type MicroOp struct {
	F     string
	Key   Value // int or string
	Value Value // the argument; of a read, what it saw (nil in the invocation)
}

// Field is one named value of an object.
type Field struct {
	Name  string
	Value Value
}

// Nil returns the nil value, which is the zero Value.
func Nil() Value { return Value{} }

// Bool returns a bool as a value.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.num = 1
	}
	return v
}

// Int returns an int as a value.
func Int(n int) Value { return Value{kind: KindInt, num: int64(n)} }

// String returns a string as a value. Bytes that are not UTF-8, which JSON
// cannot hold, become U+FFFD.
func String(s string) Value {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return Value{kind: KindString, num: int64(len(s)), ptr: unsafe.Pointer(unsafe.StringData(s))}
}

// List returns values as a list. It keeps the slice: the caller must not change
// it afterwards. A list that has the JSON form of a transaction becomes one.
func List(elements ...Value) Value {
	if ops, ok := listAsTxn(elements); ok {
		return Txn(ops...)
	}
	return listOf(elements)
}

// listOf is List for elements that are known not to be a transaction.
func listOf(elements []Value) Value {
	return Value{kind: KindList, num: int64(len(elements)), ptr: unsafe.Pointer(unsafe.SliceData(elements))}
}

// Ints returns a list of ints.
func Ints(ns ...int) Value {
	elements := make([]Value, len(ns))
	for i, n := range ns {
		elements[i] = Int(n)
	}
	return listOf(elements)
}

// Tuple returns a key with a value, which is a list of two.
func Tuple(key, value Value) Value { return List(key, value) }

// Txn returns a transaction. It keeps the slice. A transaction of no micro-ops
// is the empty list, as JSON has it. A micro-op whose key is neither int nor
// string makes it the list that JSON would read back.
func Txn(ops ...MicroOp) Value {
	if len(ops) == 0 {
		return Value{kind: KindList}
	}
	for _, op := range ops {
		if !op.wellFormed() {
			return txnAsList(ops)
		}
	}
	return Value{kind: KindTxn, num: int64(len(ops)), ptr: unsafe.Pointer(unsafe.SliceData(ops))}
}

// Object returns fields as an object, ordered by name. It keeps and sorts the
// slice. Of two fields with one name the later one counts.
func Object(fields ...Field) Value {
	slices.SortStableFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	kept := fields[:0]
	for i, f := range fields {
		if i+1 < len(fields) && fields[i+1].Name == f.Name {
			continue
		}
		kept = append(kept, f)
	}
	return Value{kind: KindObject, num: int64(len(kept)), ptr: unsafe.Pointer(unsafe.SliceData(kept))}
}

// Kind returns the value's kind.
func (v Value) Kind() Kind { return v.kind }

// IsNil tells whether the value is nil.
func (v Value) IsNil() bool { return v.kind == KindNil }

// Bool returns the bool that v is; ok is false when it is not one.
func (v Value) Bool() (b, ok bool) { return v.num != 0 && v.kind == KindBool, v.kind == KindBool }

// Int returns the int that v is; ok is false when it is not one.
func (v Value) Int() (n int, ok bool) {
	if v.kind != KindInt {
		return 0, false
	}
	return int(v.num), true
}

// Str returns the string that v is; ok is false when it is not one.
func (v Value) Str() (s string, ok bool) {
	if v.kind != KindString {
		return "", false
	}
	return unsafe.String((*byte)(v.ptr), int(v.num)), true
}

// List returns the elements of a list. The caller must not change them. The
// empty transaction is an empty list; ok is false for every other kind.
func (v Value) List() (elements []Value, ok bool) {
	if v.kind != KindList {
		return nil, false
	}
	return unsafe.Slice((*Value)(v.ptr), int(v.num)), true
}

// Ints returns the elements of a list of ints; ok is false when v is not one.
func (v Value) Ints() (ns []int, ok bool) {
	elements, ok := v.List()
	if !ok {
		return nil, false
	}
	ns = make([]int, len(elements))
	for i, e := range elements {
		if ns[i], ok = e.Int(); !ok {
			return nil, false
		}
	}
	return ns, true
}

// Tuple returns the key and the value of a list of two; ok is false when v is not one.
func (v Value) Tuple() (key, value Value, ok bool) {
	elements, ok := v.List()
	if !ok || len(elements) != 2 {
		return Value{}, Value{}, false
	}
	return elements[0], elements[1], true
}

// Txn returns the micro-ops of a transaction; the caller must not change them.
// ok is false when v is neither a transaction nor an empty list.
func (v Value) Txn() (ops []MicroOp, ok bool) {
	if v.kind == KindList && v.num == 0 {
		return nil, true
	}
	if v.kind != KindTxn {
		return nil, false
	}
	return unsafe.Slice((*MicroOp)(v.ptr), int(v.num)), true
}

// Fields returns the fields of an object, ordered by name; ok is false when v is not one.
func (v Value) Fields() (fields []Field, ok bool) {
	if v.kind != KindObject {
		return nil, false
	}
	return unsafe.Slice((*Field)(v.ptr), int(v.num)), true
}

// Get returns the field of an object by name; nil when there is none.
func (v Value) Get(name string) Value {
	fields, _ := v.Fields()
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	return Value{}
}

// Equal tells whether v and w are the same value.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind || v.num != w.num {
		return false
	}
	switch v.kind {
	case KindString:
		a, _ := v.Str()
		b, _ := w.Str()
		return a == b
	case KindList:
		a, _ := v.List()
		b, _ := w.List()
		return slices.EqualFunc(a, b, Value.Equal)
	case KindTxn:
		a, _ := v.Txn()
		b, _ := w.Txn()
		return slices.EqualFunc(a, b, func(x, y MicroOp) bool {
			return x.F == y.F && x.Key.Equal(y.Key) && x.Value.Equal(y.Value)
		})
	case KindObject:
		a, _ := v.Fields()
		b, _ := w.Fields()
		return slices.EqualFunc(a, b, func(x, y Field) bool { return x.Name == y.Name && x.Value.Equal(y.Value) })
	}
	return true
}

// String returns the value's JSON form.
func (v Value) String() string { return string(v.AppendJSON(nil)) }

func (op MicroOp) wellFormed() bool {
	return op.F != "" && (op.Key.kind == KindInt || op.Key.kind == KindString)
}

// listAsTxn returns elements as micro-ops if each is a list [f, key, value]
// with f a non-empty string and key an int or a string.
func listAsTxn(elements []Value) ([]MicroOp, bool) {
	if len(elements) == 0 {
		return nil, false
	}
	for _, e := range elements { // most lists end here, before anything is allocated
		if e.kind != KindList || e.num != 3 {
			return nil, false
		}
	}
	ops := make([]MicroOp, len(elements))
	for i, e := range elements {
		parts, _ := e.List()
		f, _ := parts[0].Str()
		ops[i] = MicroOp{F: f, Key: parts[1], Value: parts[2]}
		if !ops[i].wellFormed() {
			return nil, false
		}
	}
	return ops, true
}

func txnAsList(ops []MicroOp) Value {
	elements := make([]Value, len(ops))
	for i, op := range ops {
		elements[i] = List(String(op.F), op.Key, op.Value)
	}
	return listOf(elements)
}
