package fallacy

import "slices"

// longest is the longest list that was read of each key.
type longest struct {
	ints    map[int]*[]Value
	strings map[string]*[]Value
}

// share returns a list that was read by the function f of a key in the memory of
// the longest read of it, which it makes longer if it can. ok is false if there
// is nothing to share, or the two disagree. What grows past its memory moves, and
// leaves copies behind, of which all together are no longer than it is.
func (l *longest) share(f, key Value, list []Value) (shared []Value, ok bool) {
	if f.kind != KindString || len(list) == 0 {
		return nil, false
	}
	of := l.of(key)
	if of == nil {
		return nil, false
	}
	n := min(len(*of), len(list))
	if !slices.EqualFunc(list[:n], (*of)[:n], Value.Equal) {
		return nil, false
	}
	*of = append(*of, list[n:]...)
	return (*of)[:len(list):len(list)], true
}

func (l *longest) of(key Value) *[]Value {
	if l.ints == nil {
		l.ints, l.strings = make(map[int]*[]Value), make(map[string]*[]Value)
	}
	switch key.kind {
	case KindInt:
		if l.ints[int(key.num)] == nil {
			l.ints[int(key.num)] = new([]Value)
		}
		return l.ints[int(key.num)]
	case KindString:
		name, _ := key.Str()
		if l.strings[name] == nil {
			l.strings[name] = new([]Value)
		}
		return l.strings[name]
	}
	return nil
}
