package fallacy

import (
	"fmt"
	"strconv"
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
