package refstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Datum is what a key holds: nothing, an integer, or a list of integers. The zero Datum is nothing.
// Lists are shared between the state and the answers taken from it, so nobody may change one in place.
// Append leaves every earlier copy as it was, if only the newest is ever appended to.
type Datum struct {
	kind datumKind
	n    int
	list []int
}

type datumKind uint8

const (
	absent datumKind = iota
	register
	list
)

// Int is the Datum that holds n.
func Int(n int) Datum { return Datum{kind: register, n: n} }

// List is the Datum that holds elements, which it takes over.
func List(elements []int) Datum { return Datum{kind: list, list: elements} }

// Int returns the integer that d holds, and whether it holds one.
func (d Datum) Int() (int, bool) { return d.n, d.kind == register }

// List returns the list that d holds, and whether it holds one.
func (d Datum) List() ([]int, bool) { return d.list, d.kind == list }

// IsAbsent says whether d holds nothing.
func (d Datum) IsAbsent() bool { return d.kind == absent }

// Append returns d with element at its end; absent counts as the empty list. An integer cannot grow.
func (d Datum) Append(element int) (Datum, error) {
	if d.kind == register {
		return d, fmt.Errorf("append to a register")
	}
	grown := d.list
	if len(grown) == cap(grown) {
		grown = slices.Grow(grown, len(grown)+4)
	}
	// Elements below len are never written again, so earlier copies of this list stay as they were.
	return List(append(grown, element)), nil
}

// clipped returns d as a copy that may be appended to although d is in use elsewhere.
func (d Datum) clipped() Datum {
	d.list = slices.Clip(d.list)
	return d
}

// Equal says whether d and e hold the same.
func (d Datum) Equal(e Datum) bool {
	return d.kind == e.kind && d.n == e.n && slices.Equal(d.list, e.list)
}

// MarshalJSON writes null, a number, or an array of numbers.
func (d Datum) MarshalJSON() ([]byte, error) {
	switch d.kind {
	case register:
		return json.Marshal(d.n)
	case list:
		if d.list == nil {
			return []byte("[]"), nil
		}
		return json.Marshal(d.list)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Datum) UnmarshalJSON(text []byte) error {
	text = bytes.TrimSpace(text)
	*d = Datum{}
	switch {
	case bytes.Equal(text, []byte("null")):
		return nil
	case len(text) > 0 && text[0] == '[':
		d.kind = list
		return json.Unmarshal(text, &d.list)
	}
	d.kind = register
	return json.Unmarshal(text, &d.n)
}

// MicroOp is one step of a transaction: ["r", key, null], ["w", key, 5] or ["append", key, 5].
// In an answer a read's Value is what it saw.
type MicroOp struct {
	F     string
	Key   string
	Value Datum
}

// MarshalJSON writes the three-element array.
func (m MicroOp) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{m.F, m.Key, m.Value})
}

// UnmarshalJSON reads the three-element array; reads may leave the value out.
func (m *MicroOp) UnmarshalJSON(text []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		return fmt.Errorf("micro-op: %w", err)
	}
	if len(parts) < 2 || len(parts) > 3 {
		return fmt.Errorf("micro-op: %d elements, want 3", len(parts))
	}
	if err := json.Unmarshal(parts[0], &m.F); err != nil {
		return fmt.Errorf("micro-op: %w", err)
	}
	if err := json.Unmarshal(parts[1], &m.Key); err != nil {
		return fmt.Errorf("micro-op: %w", err)
	}
	if len(parts) == 3 {
		return m.Value.UnmarshalJSON(parts[2])
	}
	return nil
}
