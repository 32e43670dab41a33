package jepsen

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fallacy-dev/fallacy"
	"olympos.io/encoding/edn"
)

// Sniff tells whether what begins with start is EDN rather than JSON: a map with
// a keyword first, a vector, a record or a comment.
func Sniff(start []byte) bool {
	start = bytes.TrimLeft(start, " \t\r\n,")
	if len(start) == 0 {
		return false
	}
	switch start[0] {
	case '[', '#', ';':
		return true
	case '{':
		rest := bytes.TrimLeft(start[1:], " \t\r\n,")
		return len(rest) > 0 && rest[0] == ':'
	}
	return false
}

// SyntaxError is what is wrong with a line.
type SyntaxError struct {
	Line int // from 1
	Err  error
}

// Error names the line and what is wrong with it.
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *SyntaxError) Unwrap() error { return e.Err }

// lineMax bounds a line; a longer one is no op.
const lineMax = 64 << 20

// Read reads a history. An error is of the op and the line that it names, and
// the ops before it are returned with it.
func Read(r io.Reader) (fallacy.History, error) {
	in := bufio.NewReader(r)
	for {
		b, err := in.Peek(1)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if !bytes.ContainsAny(b, " \t\r\n,") {
			break
		}
		_, _ = in.Discard(1) // it was peeked at
	}
	if b, _ := in.Peek(1); b[0] == '[' {
		return readVector(in)
	}
	return readLines(in)
}

func readLines(in io.Reader) (h fallacy.History, err error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<16), lineMax)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 || line[0] == ';' {
			continue
		}
		if h, err = add(h, line); err != nil {
			return h, &SyntaxError{Line: n, Err: err}
		}
	}
	return h, lines.Err()
}

func readVector(in io.Reader) (h fallacy.History, err error) {
	var forms []edn.RawMessage
	if err := edn.NewDecoder(in).Decode(&forms); err != nil {
		return nil, fmt.Errorf("read the vector of ops: %w", err)
	}
	for i, form := range forms {
		if h, err = add(h, form); err != nil {
			return h, fmt.Errorf("op %d: %w", i, err)
		}
	}
	return h, nil
}

func add(h fallacy.History, form []byte) (fallacy.History, error) {
	var v, more any
	dec := edn.NewDecoder(bytes.NewReader(form))
	if err := dec.Decode(&v); err != nil {
		return h, err
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return h, errors.New("there is more than one form")
	}
	op, err := opOf(v)
	if err != nil {
		return h, err
	}
	op.Index = len(h)
	return append(h, op), nil
}

// opOf makes an op of a map, or of a record of one.
func opOf(v any) (fallacy.Op, error) {
	if tag, ok := v.(edn.Tag); ok {
		v = tag.Value
	}
	fields, ok := v.(map[any]any)
	if !ok {
		return fallacy.Op{}, fmt.Errorf("found %T where a map of an op is expected", v)
	}
	var op fallacy.Op
	var extra []fallacy.Field
	seen := map[string]bool{}
	for key, value := range fields {
		name, ok := key.(edn.Keyword)
		if !ok {
			return op, fmt.Errorf("an op has a field %v, which is no keyword", key)
		}
		seen[string(name)] = true
		more, err := setField(&op, string(name), value)
		if err != nil {
			return op, fmt.Errorf(":%s: %w", string(name), err)
		}
		extra = append(extra, more...)
	}
	for _, name := range []string{"type", "process"} {
		if !seen[name] {
			return op, fmt.Errorf("an op has no :%s", name)
		}
	}
	if len(extra) > 0 {
		text := fallacy.Object(extra...).String()
		op.Extra = text[1 : len(text)-1]
	}
	return op, nil
}

// setField fills in one field, and returns what an op has no place for.
func setField(op *fallacy.Op, name string, value any) (extra []fallacy.Field, err error) {
	v, err := valueOf(value)
	text, isText := v.Str()
	switch name {
	case "index":
		return nil, nil // the place in the file counts
	case "time":
		n, ok := v.Int()
		if !ok {
			return nil, fmt.Errorf("%v is no time in nanoseconds", v)
		}
		op.Time = time.Duration(n)
	case "type":
		op.Type, err = fallacy.ParseType(text)
	case "process":
		n, ok := v.Int()
		op.Process = n
		if !ok && isText {
			op.Process, op.Nemesis = fallacy.NemesisProcess, nemesisOf(text)
		} else if !ok || n < 0 {
			return nil, fmt.Errorf("%v is no process", v)
		}
	case "f":
		op.F = text
		if !isText && err == nil {
			op.F = v.String()
		}
	case "value":
		op.Value = v
	case "error":
		if op.Error = text; !isText && !v.IsNil() {
			op.Error = v.String()
		}
	default:
		if err == nil {
			return []fallacy.Field{{Name: name, Value: v}}, nil
		}
		return nil, nil // nobody asked for it, and JSON has no form for it
	}
	return nil, err
}

// nemesisOf returns the name of a nemesis; Jepsen's only one has none.
func nemesisOf(process string) string {
	if process == "nemesis" {
		return ""
	}
	return process
}
