package fallacy

import (
	"context"
	"encoding/json"
	"fmt"
)

// Checker judges a history. It is a function of the history alone.
type Checker struct {
	Name string
	Doc  string // first a title line, then a blank line, then what it proves, what it cannot see, and the source

	// Check returns what it found. An error means that the checker broke or gave
	// up, ctx being done included: the verdict then is Unknown. It must be safe to
	// run beside other checkers and must not change the history.
	Check func(ctx context.Context, h History) (Finding, error)
}

// Verdict is what a checker, or a run, comes to. The zero Verdict is Unknown.
type Verdict uint8

// The verdicts.
const (
	Unknown Verdict = iota
	Valid
	Invalid
)

var verdictNames = [...]string{"unknown", "valid", "invalid"}

// String returns "unknown", "valid" or "invalid".
func (v Verdict) String() string { return verdictNames[min(int(v), len(verdictNames)-1)] }

// MarshalJSON returns the verdict's name as a JSON string.
func (v Verdict) MarshalJSON() ([]byte, error) { return json.Marshal(v.String()) }

// UnmarshalJSON reads a verdict's name.
func (v *Verdict) UnmarshalJSON(data []byte) error {
	var name string
	if err := json.Unmarshal(data, &name); err != nil {
		return err
	}
	for i, n := range verdictNames {
		if n == name {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf(`verdict is %q, want "unknown", "valid" or "invalid"`, name)
}

// Worse returns the worse of two verdicts: Invalid, then Unknown, then Valid.
func Worse(a, b Verdict) Verdict {
	switch {
	case a == Invalid || b == Invalid:
		return Invalid
	case a == Unknown || b == Unknown:
		return Unknown
	}
	return Valid
}

// Finding is all that a checker says. The zero Finding is Unknown with nothing examined.
type Finding struct {
	Verdict   Verdict   `json:"verdict"`             // what it comes to
	Examined  int       `json:"examined"`            // how many ops or calls it looked at; 0 makes a pass vacuous
	Anomalies []Anomaly `json:"anomalies,omitempty"` // what breaks the promise
	Reason    string    `json:"reason,omitempty"`    // why the verdict is Unknown
	Details   any       `json:"details,omitempty"`   // further figures, as JSON has them
}

// Anomaly is one violation: the literature's name, a sentence that a reader can
// check, and the evidence.
type Anomaly struct {
	Name string `json:"name"` // as the literature has it
	Why  string `json:"why"`  // a sentence that a reader can check
	Ops  []int  `json:"ops"`  // indexes into the history, in order

	// Cycle is, for anomalies that are one, why each op must come before the next.
	Cycle []Step `json:"cycle,omitempty"`

	// Stuck is, where an order of calls was asked for and there is none, how far one goes.
	Stuck *Stuck `json:"stuck,omitempty"`
}

// Stuck is how far an order of an object's calls goes that explains their answers
// and agrees with real time, and why no call can come next. Ops are indexes of
// completions, or of invocations that were never answered.
type Stuck struct {
	Earlier int      `json:"earlier,omitempty"` // calls that come before those in Order
	From    string   `json:"from"`              // the state before the first in Order
	Order   []Placed `json:"order"`             // the end of the order, call by call
	Next    []Placed `json:"next"`              // the calls of which one would have to come next
	More    int      `json:"more,omitempty"`    // further ones of those
	Whole   bool     `json:"whole"`             // all orders were tried: none goes further
}

// Placed is a call's place in an order, or why it has none.
type Placed struct {
	Op    int    `json:"op"`              // of the history
	State string `json:"state,omitempty"` // after the call
	Why   string `json:"why,omitempty"`   // why it cannot be next
}

// Step is an edge of a cycle: of two operations, by the indexes of their
// completions, one must come before the other.
type Step struct {
	From int    `json:"from"`         // the op that must come first
	To   int    `json:"to"`           // the op that must come after it
	Type string `json:"type"`         // "ww", "wr", "rw", "process" or "realtime"
	Key  Value  `json:"key,omitzero"` // of what was read or written
	Why  string `json:"why"`          // in a sentence
}
