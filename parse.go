package fallacy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// depthMax bounds how deep lists and objects may nest, so that hostile input
// cannot exhaust the stack.
const depthMax = 64

// parser reads JSON straight into values. encoding/json would go through
// reflection and interfaces, at several times the cost per op, and histories
// have millions of them.
type parser struct {
	in  []byte
	at  int
	err error
}

func (p *parser) fail(err error) {
	if p.err == nil && err != nil {
		p.err = fmt.Errorf("column %d: %w", p.at+1, err)
	}
}

func (p *parser) space() {
	for p.at < len(p.in) {
		switch p.in[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space; 0 at the end or after an error.
func (p *parser) peek() byte {
	p.space()
	if p.err != nil || p.at >= len(p.in) {
		return 0
	}
	return p.in[p.at]
}

func (p *parser) expect(c byte) {
	if got := p.peek(); got != c {
		p.unexpected(fmt.Sprintf("%q", c))
		return
	}
	p.at++
}

func (p *parser) unexpected(want string) {
	if p.at >= len(p.in) {
		p.fail(fmt.Errorf("the line ends where %s is expected", want))
		return
	}
	p.fail(fmt.Errorf("found %q where %s is expected", p.in[p.at], want))
}

func (p *parser) end() {
	if p.peek() != 0 {
		p.unexpected("the end")
	}
}

func (p *parser) value(depth int) Value {
	if depth > depthMax {
		p.fail(fmt.Errorf("nested more than %d deep", depthMax))
		return Value{}
	}
	switch c := p.peek(); {
	case c == '"':
		return String(p.str())
	case c == '[':
		return p.list(depth)
	case c == '{':
		var fields []Field
		p.object(func(name string) { fields = append(fields, Field{name, p.value(depth + 1)}) })
		return Object(fields...)
	case c == '-' || c >= '0' && c <= '9':
		return Int(int(p.whole()))
	case p.word("null"):
		return Value{}
	case p.word("true"):
		return Bool(true)
	case p.word("false"):
		return Bool(false)
	}
	p.unexpected("a value")
	return Value{}
}

func (p *parser) list(depth int) Value {
	p.expect('[')
	var elements []Value
	for p.peek() != ']' && p.err == nil {
		if len(elements) > 0 {
			p.expect(',')
		}
		elements = append(elements, p.value(depth+1))
	}
	p.expect(']')
	return List(elements...)
}

// object calls member with each name, with the parser before that name's value.
func (p *parser) object(member func(name string)) {
	p.expect('{')
	for first := true; p.peek() != '}' && p.err == nil; first = false {
		if !first {
			p.expect(',')
		}
		if p.peek() != '"' {
			p.unexpected("a field's name")
			return
		}
		name := p.str()
		p.expect(':')
		if p.err == nil {
			member(name)
		}
	}
	p.expect('}')
}

func (p *parser) word(w string) bool {
	if p.err != nil || !bytes.HasPrefix(p.in[p.at:], []byte(w)) {
		return false
	}
	p.at += len(w)
	return true
}

func (p *parser) whole() int64 {
	from := p.at
	for p.at < len(p.in) {
		c := p.in[p.at]
		if c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E' {
			p.at++
			continue
		}
		break
	}
	text := string(p.in[from:p.at])
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n == 0 && text != "0" || len(text) > 1 && text[0] == '0' || len(text) > 2 && text[:2] == "-0" || text[0] == '+' {
		p.at = from
		p.fail(fmt.Errorf("%s is not a whole number of 64 bits", text))
	}
	return n
}

func (p *parser) number(field string) int64 {
	if c := p.peek(); c != '-' && (c < '0' || c > '9') {
		p.unexpected("a number for " + field)
		return 0
	}
	return p.whole()
}

// raw returns the next value whatever it is, fractions included, as it stands
// but for white space: unknown fields are kept, not understood.
func (p *parser) raw() string {
	p.space()
	dec := json.NewDecoder(bytes.NewReader(p.in[p.at:]))
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		p.fail(err)
		return "null"
	}
	p.at += int(dec.InputOffset())
	var compact bytes.Buffer
	p.fail(json.Compact(&compact, raw))
	return compact.String()
}

func (p *parser) text(field string) string {
	if p.peek() != '"' {
		p.unexpected("a string for " + field)
		return ""
	}
	return p.str()
}

// str reads a string. Only one with escapes or bytes that are not UTF-8 takes
// the slow way through encoding/json.
func (p *parser) str() string {
	from := p.at
	simple := true
	for p.at++; p.at < len(p.in); p.at++ {
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			if simple && utf8.Valid(p.in[from+1:p.at-1]) {
				return string(p.in[from+1 : p.at-1])
			}
			s, err := unquote(p.in[from:p.at])
			p.fail(err)
			return s
		case c == '\\':
			simple = false
			p.at++
		case c < 0x20:
			p.fail(fmt.Errorf("control character %#x in a string", c))
			return ""
		}
	}
	p.at = len(p.in)
	p.fail(fmt.Errorf("the line ends inside a string"))
	return ""
}
