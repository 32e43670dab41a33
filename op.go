package fallacy

import (
	"fmt"
	"strconv"
	"time"
)

// NemesisProcess is the process of every op that a nemesis performs. Which
// nemesis it was is in [Op.Nemesis].
const NemesisProcess = -1

// Type says which kind of event an [Op] is.
type Type uint8

// The types of ops. An operation is invoked and then completes as one of the
// other three, or never, which means the same as Info.
const (
	Invoke Type = iota // asked for
	OK                 // must have happened
	Fail               // must not have happened
	Info               // may or may not have happened, at any later time
)

var typeNames = [...]string{"invoke", "ok", "fail", "info"}

// String returns the type as the history on disk has it: "invoke", "ok", "fail" or "info".
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// ParseType returns the type that String names.
func ParseType(name string) (Type, error) {
	for t, n := range typeNames {
		if n == name {
			return Type(t), nil
		}
	}
	return 0, fmt.Errorf(`type is %q, want "invoke", "ok", "fail" or "info"`, name)
}

// Op is one event of a run: an operation's invocation, or its completion.
//
// A process is logically single-threaded: it invokes, completes, invokes again.
// After an Info completion its number is never used again.
type Op struct {
	Index   int           // place in the history, from 0
	Time    time.Duration // since the run began, from one monotonic clock
	Process int           // who; NemesisProcess for faults
	Nemesis string        // which nemesis, when Process is NemesisProcess
	Type    Type
	F       string // what was asked: "read", "write", "txn"; for a nemesis "inject" or "heal"
	Value   Value  // what was asked for, or what was observed
	Error   string // why it completed as it did, when it did not complete as OK
	Node    string // the node that the process talked to; empty when not known
	Extra   string // unknown fields of the line it was read from, as JSON members without braces
}

// IsClient tells whether a client performed the op, rather than a nemesis.
func (o Op) IsClient() bool { return o.Process >= 0 }

// String returns the op as a line for people: "3 ok read [x 4]".
func (o Op) String() string {
	s := fmt.Sprintf("%s %v %s %v", o.who(), o.Type, o.F, o.Value)
	if o.Error != "" {
		s += " (" + o.Error + ")"
	}
	return s
}

// who returns the process as the history on disk names it.
func (o Op) who() string {
	if o.IsClient() {
		return strconv.Itoa(o.Process)
	}
	return nemesisName(o.Nemesis)
}
