package results

import (
	"bytes"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// parseOp is fallacy.ParseOp, faster for the lines that fallacy writes itself:
// fields in their order, no escapes in names. Anything else, and anything
// wrong, takes the general way.
func parseOp(line []byte, names interner) (fallacy.Op, error) {
	if op, ok := ownLine(line, names); ok {
		return op, nil
	}
	op, err := fallacy.ParseOp(line)
	if err == nil {
		op.F, op.Node = names.of([]byte(op.F)), names.of([]byte(op.Node))
	}
	return op, err
}

// interner makes equal names share their memory.
type interner map[string]string

func (in interner) of(name []byte) string {
	if s, ok := in[string(name)]; ok {
		return s
	}
	s := string(name)
	if len(in) < 4096 {
		in[s] = s
	}
	return s
}

// ownLine reads a line as Op.AppendJSON writes it; ok is false for any other.
func ownLine(line []byte, names interner) (op fallacy.Op, ok bool) {
	s := scanner{in: line}
	op.Index = s.count(`{"index":`)
	op.Time = time.Duration(s.count(`,"time":`))
	op.Process = s.count(`,"process":`) // a nemesis goes the general way
	t, err := fallacy.ParseType(names.of(s.name(`,"type":"`)))
	op.Type = t
	op.F = names.of(s.name(`,"f":"`))
	op.Value = s.value(`,"value":`)
	if s.next(`,"node":"`) {
		op.Node = names.of(s.name(`,"node":"`))
	}
	s.token(`}`)
	return op, err == nil && !s.bad && len(s.in) == 0
}

// scanner goes through a line; bad is set once it is not what was expected.
type scanner struct {
	in  []byte
	bad bool
}

func (s *scanner) next(token string) bool { return bytes.HasPrefix(s.in, []byte(token)) }

func (s *scanner) token(token string) {
	if !s.next(token) {
		s.bad = true
		return
	}
	s.in = s.in[len(token):]
}

// count reads a whole number from 0 behind token.
func (s *scanner) count(token string) int {
	s.token(token)
	n, i := 0, 0
	for ; i < len(s.in) && i < 18 && s.in[i] >= '0' && s.in[i] <= '9'; i++ {
		n = n*10 + int(s.in[i]-'0')
	}
	if i == 0 || i > 1 && s.in[0] == '0' {
		s.bad = true
		return 0
	}
	s.in = s.in[i:]
	return n
}

// name reads what is behind token, which ends in a quote, up to the next quote.
func (s *scanner) name(token string) []byte {
	s.token(token)
	for i, c := range s.in {
		if c == '"' {
			name := s.in[:i]
			s.in = s.in[i+1:]
			return name
		}
		if c < 0x20 || c >= 0x80 || c == '\\' {
			break
		}
	}
	s.bad = true
	return nil
}

// value reads the value behind token.
func (s *scanner) value(token string) fallacy.Value {
	s.token(token)
	end := valueEnd(s.in)
	if s.bad || end == 0 {
		s.bad = true
		return fallacy.Value{}
	}
	if s.next("null,") || s.next("null}") {
		s.in = s.in[4:]
		return fallacy.Value{}
	}
	v, err := fallacy.ParseValue(s.in[:end])
	if err != nil {
		s.bad = true
	}
	s.in = s.in[end:]
	return v
}

// valueEnd returns the length of the value that in begins with: up to the first
// comma or brace that is not inside it. 0: there is none.
func valueEnd(in []byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(in); i++ {
		c := in[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case depth == 0 && (c == ',' || c == '}'):
			return i
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		}
	}
	return 0
}
