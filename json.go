package fallacy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the one JSON form of v to b.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(b, v.num != 0)
	case KindInt:
		return strconv.AppendInt(b, v.num, 10)
	case KindString:
		s, _ := v.Str()
		return appendString(b, s)
	case KindList:
		elements, _ := v.List()
		b = append(b, '[')
		for i, e := range elements {
			b = e.AppendJSON(comma(b, i))
		}
		return append(b, ']')
	case KindTxn:
		ops, _ := v.Txn()
		b = append(b, '[')
		for i, op := range ops {
			b = op.appendJSON(comma(b, i))
		}
		return append(b, ']')
	case KindObject:
		fields, _ := v.Fields()
		b = append(b, '{')
		for i, f := range fields {
			b = append(appendString(comma(b, i), f.Name), ':')
			b = f.Value.AppendJSON(b)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

func (op MicroOp) appendJSON(b []byte) []byte {
	b = appendString(append(b, '['), op.F)
	b = op.Key.AppendJSON(append(b, ','))
	b = op.Value.AppendJSON(append(b, ','))
	return append(b, ']')
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

// MarshalJSON returns the one JSON form of v.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// UnmarshalJSON reads any JSON of the closed set; see [ParseValue].
func (v *Value) UnmarshalJSON(data []byte) (err error) {
	*v, err = ParseValue(data)
	return err
}

// AppendJSON appends the op as one JSON object, without a line's end: the form
// the history on disk has. The fields stand in a fixed order; error, node and
// unknown fields are left out when empty.
func (o Op) AppendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"index":`...), int64(o.Index), 10)
	b = strconv.AppendInt(append(b, `,"time":`...), int64(o.Time), 10)
	b = append(b, `,"process":`...)
	if o.IsClient() {
		b = strconv.AppendInt(b, int64(o.Process), 10)
	} else {
		b = appendString(b, nemesisName(o.Nemesis))
	}
	b = append(append(append(b, `,"type":"`...), o.Type.String()...), '"')
	b = appendString(append(b, `,"f":`...), o.F)
	b = o.Value.AppendJSON(append(b, `,"value":`...))
	if o.Error != "" {
		b = appendString(append(b, `,"error":`...), o.Error)
	}
	if o.Node != "" {
		b = appendString(append(b, `,"node":`...), o.Node)
	}
	if o.Extra != "" {
		b = append(append(b, ','), o.Extra...)
	}
	return append(b, '}')
}

func nemesisName(name string) string {
	if name == "" {
		return "nemesis"
	}
	return "nemesis/" + name
}

// appendString appends s as a JSON string. It escapes what JSON demands, and
// <, > and & not at all: a history is read by programs, and a page escapes for itself.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			continue
		}
		if c >= utf8.RuneSelf {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, fmt.Sprintf(`\u%04x`, c)...)
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// MarshalJSON returns the op's line in the history, without its end.
func (o Op) MarshalJSON() ([]byte, error) { return o.AppendJSON(nil), nil }

// UnmarshalJSON reads an op; see [ParseOp].
func (o *Op) UnmarshalJSON(data []byte) (err error) {
	*o, err = ParseOp(data)
	return err
}

// ParseValue reads the JSON in data as a value. Numbers are whole numbers of 64
// bits; a fraction or a larger number is an error that names it.
func ParseValue(data []byte) (Value, error) {
	p := parser{in: data}
	v := p.value(0)
	p.end()
	return v, p.err
}

// ParseOp reads one line of a history. Index and time may be missing and then
// are -1 and 0; the rest of the fields default to their zero values, but a line
// without process or type is an error. Unknown fields go to [Op.Extra].
func ParseOp(line []byte) (Op, error) {
	p := parser{in: line}
	op := Op{Index: -1}
	seen := map[string]bool{}
	p.object(func(name string) {
		seen[name] = true
		p.opField(&op, name)
	})
	p.end()
	if p.err == nil {
		for _, name := range []string{"process", "type"} {
			if !seen[name] {
				return op, fmt.Errorf("an op has no %q field", name)
			}
		}
	}
	return op, p.err
}

func (p *parser) opField(op *Op, name string) {
	switch name {
	case "index":
		op.Index = int(p.number(name))
	case "time":
		op.Time = time.Duration(p.number(name))
	case "process":
		p.process(op)
	case "type":
		t, err := ParseType(p.text(name))
		op.Type = t
		p.fail(err)
	case "f":
		op.F = p.text(name)
	case "value":
		op.Value = p.value(0)
	case "error":
		op.Error = p.errorText()
	case "node":
		op.Node = p.text(name)
	default:
		if op.Extra != "" {
			op.Extra += ","
		}
		op.Extra += string(appendString(nil, name)) + ":" + p.raw()
	}
}

func (p *parser) process(op *Op) {
	v := p.value(0)
	if n, ok := v.Int(); ok && n >= 0 {
		op.Process = n
		return
	}
	s, ok := v.Str()
	if !ok || s != "nemesis" && !strings.HasPrefix(s, "nemesis/") {
		p.fail(fmt.Errorf(`process is %v, want a whole number from 0, "nemesis" or "nemesis/NAME"`, v))
		return
	}
	op.Process = NemesisProcess
	op.Nemesis = strings.TrimPrefix(strings.TrimPrefix(s, "nemesis"), "/")
}

// errorText takes an error in any shape, as other tools write lists and objects.
func (p *parser) errorText() string {
	v := p.value(0)
	if s, ok := v.Str(); ok || v.IsNil() {
		return s
	}
	return v.String()
}

func unquote(raw []byte) (string, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", err
	}
	return s, nil
}
