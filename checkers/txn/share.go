package txn

import "github.com/fallacy-dev/fallacy"

// Shared makes histories of list-append small: lists that were read of one key,
// most of which are beginnings of one another, share memory. Who reads a history
// from a file passes each op's value through it before keeping it. The zero
// Shared is ready; it must not be used by several goroutines at a time.
type Shared struct {
	ints    map[int]*[]fallacy.Value // the longest list by key
	strings map[string]*[]fallacy.Value
}

// Value returns an equal value, which, if v is a transaction, has its lists in
// memory that is shared with those returned before.
func (s *Shared) Value(v fallacy.Value) fallacy.Value {
	ops, _ := v.Txn()
	var copied []fallacy.MicroOp
	for i := range ops {
		list, _ := ops[i].Value.List()
		if len(list) == 0 {
			continue
		}
		shared, ok := share(s.longest(ops[i].Key), list)
		if !ok {
			continue
		}
		if copied == nil {
			copied = append([]fallacy.MicroOp(nil), ops...)
		}
		copied[i].Value = fallacy.List(shared...)
	}
	if copied == nil {
		return v
	}
	return fallacy.Txn(copied...)
}

func (s *Shared) longest(key fallacy.Value) *[]fallacy.Value {
	if s.ints == nil {
		s.ints, s.strings = make(map[int]*[]fallacy.Value), make(map[string]*[]fallacy.Value)
	}
	if n, ok := key.Int(); ok {
		if s.ints[n] == nil {
			s.ints[n] = new([]fallacy.Value)
		}
		return s.ints[n]
	}
	name, _ := key.Str()
	if s.strings[name] == nil {
		s.strings[name] = new([]fallacy.Value)
	}
	return s.strings[name]
}

// share returns the list in the memory of the longest, which it makes longer if
// it can; ok is false if the two disagree. What grows past its memory moves, and
// leaves copies behind, of which all together are no longer than it is.
func share(longest *[]fallacy.Value, list []fallacy.Value) (shared []fallacy.Value, ok bool) {
	n := min(len(*longest), len(list))
	if n > 0 && !isPrefix(list[:n], *longest) {
		return nil, false
	}
	*longest = append(*longest, list[n:]...)
	return (*longest)[:len(list):len(list)], true
}
