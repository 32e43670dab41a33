package external

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// answer is what a program says of an operation.
type answer struct {
	ID    *int            `json:"id"`
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
	Error string          `json:"error"`
	Code  *int            `json:"code"` // one of Maelstrom's, instead of a type
}

// definite are Maelstrom's error codes that prove that nothing happened: all
// others, 0 (timeout) and 13 (crash) and those of one's own, prove nothing.
// (github.com/jepsen-io/maelstrom, resources/errors.edn)
var definite = []int{
	1,  // node-not-found
	10, // not-supported
	11, // temporarily-unavailable
	12, // malformed-request
	14, // abort
	20, // key-does-not-exist
	21, // key-already-exists
	22, // precondition-failed
	30, // txn-conflict
}

// nonsenseError is an answer that is none: nobody knows what happened, and what
// comes next from this program means nothing.
type nonsenseError struct {
	why  string
	text []byte
}

// Error says what is wrong with the answer, and shows its beginning.
func (e *nonsenseError) Error() string {
	const shown = 200
	text := e.text
	if len(text) > shown {
		text = slices.Concat(text[:shown], []byte("…"))
	}
	return fmt.Sprintf("the client's answer is nonsense: %s: %s", e.why, text)
}

// judge says what the answer to op, the id-th question, comes to.
func judge(text []byte, id int, op fallacy.Op) (fallacy.Value, error) {
	nonsense := func(format string, args ...any) (fallacy.Value, error) {
		return fallacy.Nil(), &nonsenseError{fmt.Sprintf(format, args...), text}
	}
	var a answer
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields() // so that a slip of the pen shows
	if err := dec.Decode(&a); err != nil {
		return nonsense("%v", err)
	}
	if dec.More() {
		return nonsense("there is more than one object on the line")
	}
	if a.ID == nil || *a.ID != id {
		return nonsense(`"id" has to be %d, as in the question`, id)
	}
	if a.Code != nil {
		if a.Type != "" && a.Type != "error" {
			return nonsense(`it has a "code" and the type %q: a code says it all`, a.Type)
		}
		if a.Type = "info"; slices.Contains(definite, *a.Code) {
			a.Type = "fail"
		}
		a.Error = fmt.Sprintf("code %d: %s", *a.Code, a.Error)
	}
	if a.Error == "" {
		a.Error = "the client does not say why"
	}
	var value fallacy.Value
	if a.Value != nil {
		var err error
		if value, err = fallacy.ParseValue(a.Value); err != nil {
			return nonsense(`"value": %v`, err)
		}
	}
	switch a.Type {
	case "ok":
		value, err := fits(op, value, a.Value != nil)
		if err != nil {
			return nonsense("%v", err)
		}
		return value, nil
	case "fail":
		return value, fmt.Errorf("%w: %s", fallacy.ErrFailed, a.Error)
	case "info":
		return fallacy.Nil(), errors.New(a.Error)
	}
	return nonsense(`"type" is %q, want "ok", "fail" or "info", or a "code" instead`, a.Type)
}

// fits returns what an ok answer observed, or why it is no answer to op. What is
// left out is as it was asked for, but for what was to be read.
func fits(op fallacy.Op, value fallacy.Value, given bool) (fallacy.Value, error) {
	if !given {
		if op.F == "read" || op.F == "txn" || op.F == "dequeue" || op.F == "acquire" {
			return value, fmt.Errorf(`a %s that is ok has a "value": what was seen`, op.F)
		}
		return op.Value, nil
	}
	if ops, ok := op.Value.Txn(); ok && len(ops) > 0 {
		return value, sameTxn(ops, value)
	}
	key, _, keyed := op.Value.Tuple()
	if !keyed || op.F != "read" && op.F != "write" && op.F != "cas" {
		return value, nil
	}
	if saw, _, ok := value.Tuple(); !ok || !saw.Equal(key) {
		return value, fmt.Errorf(`"value" is %v, want [%v, …], with the key that was asked for`, value, key)
	}
	if op.F != "read" && !value.Equal(op.Value) {
		return value, fmt.Errorf(`"value" is %v and %v was asked for: leave it out`, value, op.Value)
	}
	return value, nil
}

// sameTxn tells why value is not the transaction ops with what its reads saw.
func sameTxn(ops []fallacy.MicroOp, value fallacy.Value) error {
	done, ok := value.Txn()
	if !ok || len(done) != len(ops) {
		return fmt.Errorf(`"value" is %v, want the %d micro-ops with what they saw`, value, len(ops))
	}
	for i, op := range ops {
		if done[i].F != op.F || !done[i].Key.Equal(op.Key) || op.F != "r" && !done[i].Value.Equal(op.Value) {
			return fmt.Errorf(`micro-op %d of "value" is another one than was asked for`, i)
		}
	}
	return nil
}
