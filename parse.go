package fallacy

import (
	"fmt"
	"strings"
	"time"
)

// depthMax bounds how deep lists and objects may nest, so that hostile input
// cannot exhaust the stack.
const depthMax = 64

// kindPending is a micro-op that waits, in Parser.txns at num, until it is known
// whether all its siblings are micro-ops too. It never leaves the parser.
const kindPending Kind = 255

// ParseValue reads the JSON in data as a value. Numbers are whole numbers of 64
// bits; a fraction or a larger number is an error that names it.
func ParseValue(data []byte) (Value, error) {
	var p Parser
	p.begin(data)
	v := p.value(0)
	p.end()
	return v, p.err
}

// ParseOp reads one line of a history. Index and time may be missing and then
// are -1 and 0; the rest of the fields default to their zero values, but a line
// without process or type is an error. Unknown fields go to [Op.Extra].
func ParseOp(line []byte) (Op, error) {
	var p Parser
	p.begin(line)
	return p.op()
}

func (p *Parser) op() (Op, error) {
	op := Op{Index: -1}
	var process, typ bool
	p.expect('{')
	for name, ok := p.member(true); ok; name, ok = p.member(false) {
		switch field := string(name); field { // compared, never made
		case "process":
			process = true
			p.process(&op)
		case "type":
			typ = true
			p.typ(&op)
		default:
			p.opField(&op, name)
		}
	}
	p.end()
	switch {
	case p.err != nil:
	case !process:
		return op, fmt.Errorf("an op has no %q field", "process")
	case !typ:
		return op, fmt.Errorf("an op has no %q field", "type")
	}
	return op, p.err
}

func (p *Parser) opField(op *Op, name []byte) {
	switch string(name) {
	case "index":
		op.Index = int(p.number("index"))
	case "time":
		op.Time = time.Duration(p.number("time"))
	case "f":
		op.F = p.text("f")
	case "value":
		op.Value = p.value(0)
	case "error":
		op.Error = p.errorText()
	case "node":
		op.Node = p.text("node")
	default:
		if op.Extra != "" {
			op.Extra += ","
		}
		op.Extra += string(appendString(nil, string(name))) + ":" + p.raw()
	}
}

func (p *Parser) typ(op *Op) {
	if p.peek() != '"' {
		p.unexpected("a string for type")
		return
	}
	name := p.bytes()
	for t, n := range typeNames {
		if n == string(name) {
			op.Type = Type(t)
			return
		}
	}
	_, err := ParseType(string(name))
	p.fail(err)
}

func (p *Parser) process(op *Op) {
	if c := p.peek(); c-'0' <= 9 {
		op.Process = int(p.whole())
		return
	}
	v := p.value(0)
	s, ok := v.Str()
	if !ok || s != "nemesis" && !strings.HasPrefix(s, "nemesis/") {
		p.fail(fmt.Errorf(`process is %v, want a whole number from 0, "nemesis" or "nemesis/NAME"`, v))
		return
	}
	op.Process = NemesisProcess
	op.Nemesis = strings.TrimPrefix(strings.TrimPrefix(s, "nemesis"), "/")
}

// errorText takes an error in any shape, as other tools write lists and objects.
func (p *Parser) errorText() string {
	v := p.value(0)
	if s, ok := v.Str(); ok || v.IsNil() {
		return s
	}
	return v.String()
}

// value reads a value.
func (p *Parser) value(depth int) Value {
	if depth > depthMax {
		p.fail(fmt.Errorf("nested more than %d deep", depthMax))
		return Value{}
	}
	switch c := p.peek(); {
	case c == '"':
		return String(p.str())
	case c == '[':
		return p.settle(p.list(depth, 0))
	case c == '{':
		return p.object(depth)
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

func (p *Parser) object(depth int) Value {
	var fields []Field
	p.expect('{')
	for name, ok := p.member(true); ok; name, ok = p.member(false) {
		fields = append(fields, Field{p.name(name), p.value(depth + 1)})
	}
	return Object(fields...)
}

// member reads the name of an object's next member, up to its value; ok is false
// once the object has ended. The name is good until more is read.
func (p *Parser) member(first bool) (name []byte, ok bool) {
	c := p.peek()
	if c == '}' {
		p.at++
		return nil, false
	}
	if !first {
		p.expect(',')
		c = p.peek()
	}
	if c != '"' {
		p.unexpected("a field's name")
		return nil, false
	}
	name = p.bytes()
	p.expect(':')
	return name, p.err == nil
}

// list reads a list. Its elements are on the stack while it is open, beginning
// at base, as are those of the list around it, which begin at outer. What looks
// like a micro-op stays pending.
func (p *Parser) list(depth, outer int) Value {
	base, txns := len(p.stack), len(p.txns)
	p.expect('[')
	for p.peek() != ']' && p.err == nil {
		if len(p.stack) > base {
			p.expect(',')
		}
		if p.peek() == '[' && depth < depthMax {
			p.stack = append(p.stack, p.list(depth+1, base))
		} else {
			p.stack = append(p.stack, p.value(depth+1))
		}
	}
	p.expect(']')
	v := p.close(base, txns, outer)
	p.stack = p.stack[:base]
	return v
}

// close makes a value of the stack's elements from base on, and leaves no
// micro-op from txns on behind but the one that it may return.
func (p *Parser) close(base, txns, outer int) Value {
	elements := p.stack[base:]
	if n := len(p.txns) - txns; n > 0 && n == len(elements) {
		v := Txn(p.micros.keep(p.txns[txns:], !p.bulk)...)
		p.txns = p.txns[:txns]
		return v
	}
	for i, e := range elements {
		elements[i] = p.settle(e)
	}
	p.txns = p.txns[:txns]
	if len(elements) == 3 {
		f, _ := elements[0].Str()
		if op := (MicroOp{F: f, Key: elements[1], Value: elements[2]}); op.wellFormed() {
			p.txns = append(p.txns, op)
			return Value{kind: kindPending, num: int64(txns)}
		}
	}
	if p.bulk && base-outer == 2 {
		if shared, ok := p.lists.share(p.stack[outer], p.stack[outer+1], elements); ok {
			return listOf(shared)
		}
	}
	return listOf(p.values.keep(elements, !p.bulk))
}

// settle makes a list of a micro-op that turned out not to be in a transaction.
func (p *Parser) settle(v Value) Value {
	if v.kind != kindPending {
		return v
	}
	op := p.txns[v.num]
	if int(v.num) == len(p.txns)-1 {
		p.txns = p.txns[:v.num]
	}
	return listOf([]Value{String(op.F), op.Key, op.Value})
}
