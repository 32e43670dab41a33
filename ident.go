package fallacy

import "strconv"

// Ident is a value that can be the key of a map and be compared with ==: two
// values are equal exactly if their idents are. That of an int or a string is
// made without allocating.
type Ident struct {
	kind Kind
	n    int
	s    string // a string itself, of anything else but an int its JSON form
}

// Ident returns the value's identity.
func (v Value) Ident() Ident {
	switch v.kind {
	case KindInt:
		return Ident{kind: KindInt, n: int(v.num)}
	case KindString:
		s, _ := v.Str()
		return Ident{kind: KindString, s: s}
	}
	return Ident{kind: v.kind, s: v.String()}
}

// String returns the value's JSON form.
func (id Ident) String() string {
	switch id.kind {
	case KindInt:
		return strconv.Itoa(id.n)
	case KindString:
		return String(id.s).String()
	}
	return id.s
}
