package fallacy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Parser reads many ops of one history, and lets them share memory: equal
// names are one string, small slices are cut from large ones, and lists that
// were read of one key, most of which are beginnings of one another, are kept
// once. The zero Parser is ready. It must not be used by several goroutines at a time.
//
// encoding/json would go through reflection and interfaces, at several times
// the cost per op, and histories have millions of them.
type Parser struct {
	in  []byte
	at  int
	err error

	bulk   bool // more is to come, so that memory may be asked for in advance
	names  map[string]string
	stack  []Value   // elements of the lists that are open, the innermost on top
	txns   []MicroOp // micro-ops on the stack, where they are pending
	values arena[Value]
	micros arena[MicroOp]
	lists  longest
}

// Op reads one line of a history, as [ParseOp] does.
func (p *Parser) Op(line []byte) (Op, error) {
	p.begin(line)
	p.bulk = true
	return p.op()
}

func (p *Parser) begin(text []byte) {
	p.in, p.at, p.err = text, 0, nil
	p.stack, p.txns = p.stack[:0], p.txns[:0]
}

func (p *Parser) fail(err error) {
	if p.err == nil && err != nil {
		p.err = fmt.Errorf("column %d: %w", p.at+1, err)
	}
}

func (p *Parser) space() {
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
func (p *Parser) peek() byte {
	p.space()
	if p.err != nil || p.at >= len(p.in) {
		return 0
	}
	return p.in[p.at]
}

func (p *Parser) expect(c byte) {
	if p.at < len(p.in) && p.in[p.at] == c && p.err == nil || p.peek() == c {
		p.at++
		return
	}
	p.unexpected(fmt.Sprintf("%q", c))
}

func (p *Parser) unexpected(want string) {
	if p.at >= len(p.in) {
		p.fail(fmt.Errorf("the line ends where %s is expected", want))
		return
	}
	p.fail(fmt.Errorf("found %q where %s is expected", p.in[p.at], want))
}

func (p *Parser) end() {
	if p.peek() != 0 {
		p.unexpected("the end")
	}
}

func (p *Parser) word(w string) bool {
	if p.err != nil || !bytes.HasPrefix(p.in[p.at:], []byte(w)) {
		return false
	}
	p.at += len(w)
	return true
}

// whole reads a whole number.
func (p *Parser) whole() int64 {
	from := p.at
	n := int64(0)
	for p.at < len(p.in) && p.in[p.at]-'0' <= 9 {
		n = n*10 + int64(p.in[p.at]-'0')
		p.at++
	}
	digits := p.at - from
	if digits > 0 && digits < 19 && (p.in[from] != '0' || digits == 1) && (p.at == len(p.in) || !numeric(p.in[p.at])) {
		return n
	}
	return p.anyWhole(from)
}

func numeric(c byte) bool {
	return c-'0' <= 9 || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// anyWhole reads any whole number there is, from from on.
func (p *Parser) anyWhole(from int) int64 {
	for p.at = from; p.at < len(p.in) && numeric(p.in[p.at]); p.at++ {
	}
	text := string(p.in[from:p.at])
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n == 0 && text != "0" || len(text) > 1 && text[0] == '0' || len(text) > 2 && text[:2] == "-0" || text[0] == '+' {
		p.at = from
		p.fail(fmt.Errorf("%s is not a whole number of 64 bits", text))
	}
	return n
}

func (p *Parser) number(field string) int64 {
	if c := p.peek(); c != '-' && (c < '0' || c > '9') {
		p.unexpected("a number for " + field)
		return 0
	}
	return p.whole()
}

// raw returns the next value whatever it is, fractions included, as it stands
// but for white space: unknown fields are kept, not understood.
func (p *Parser) raw() string {
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

func (p *Parser) text(field string) string {
	if p.peek() != '"' {
		p.unexpected("a string for " + field)
		return ""
	}
	return p.str()
}

func (p *Parser) str() string { return p.name(p.bytes()) }

// bytes reads a string, which is good until more is read. Only one with escapes
// or bytes that are not UTF-8 takes the slow way through encoding/json.
func (p *Parser) bytes() []byte {
	from := p.at
	plain := true
	for p.at++; p.at < len(p.in); p.at++ {
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			if inner := p.in[from+1 : p.at-1]; plain || utf8.Valid(inner) && bytes.IndexByte(inner, '\\') < 0 {
				return inner
			}
			s, err := unquote(p.in[from:p.at])
			p.fail(err)
			return []byte(s)
		case c == '\\':
			plain = false
			p.at++
		case c >= utf8.RuneSelf:
			plain = false
		case c < 0x20:
			p.fail(fmt.Errorf("control character %#x in a string", c))
			return nil
		}
	}
	p.at = len(p.in)
	p.fail(fmt.Errorf("the line ends inside a string"))
	return nil
}

func unquote(raw []byte) (string, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", err
	}
	return s, nil
}

// Bounds of the names that are kept to be shared.
const (
	namesMax = 1 << 14
	nameMax  = 64
)

// name returns text as a string, the same one as before if it can.
func (p *Parser) name(text []byte) string {
	if !p.bulk || len(text) > nameMax {
		return string(text)
	}
	if s, ok := p.names[string(text)]; ok {
		return s
	}
	if p.names == nil {
		p.names = make(map[string]string)
	}
	s := string(text)
	if len(p.names) < namesMax {
		p.names[s] = s
	}
	return s
}

// arena cuts small slices from large ones.
type arena[T any] struct{ free []T }

// arenaSize is how many elements are asked for at once.
const arenaSize = 512

// keep returns a copy of some, in memory of its own if alone says so.
func (a *arena[T]) keep(some []T, alone bool) []T {
	if alone || len(some) > arenaSize/8 {
		return append([]T(nil), some...)
	}
	if len(a.free) < len(some) {
		a.free = make([]T, arenaSize)
	}
	kept := a.free[:len(some):len(some)]
	a.free = a.free[len(some):]
	copy(kept, some)
	return kept
}
