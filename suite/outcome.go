package suite

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Result is what a run came to.
type Result struct {
	Verdict   fallacy.Verdict `json:"verdict"`
	Reason    string          `json:"reason,omitempty"`    // why it is unknown
	Anomalies []string        `json:"anomalies,omitempty"` // their names, each once
	Told      string          `json:"told,omitempty"`      // the first anomaly in a sentence
	Ops       int             `json:"ops"`                 // operations
	Dir       string          `json:"dir,omitempty"`       // of the run
}

// Outcome is what became of a test.
type Outcome struct {
	Case
	Result
	Trouble  string        `json:"trouble,omitempty"` // why there is no run: fallacy's own trouble
	Attempts int           `json:"attempts"`          // more than one: the earlier ones could not be set up
	Earlier  []string      `json:"earlier,omitempty"` // the trouble of the earlier ones
	Started  time.Time     `json:"started"`
	Took     time.Duration `json:"took_ns"`
}

// Status is how an outcome compares to what was expected.
type Status string

// The statuses, from the best to the worst.
const (
	AsExpected Status = "as expected"
	NotKnown   Status = "unknown"    // no verdict where one was expected
	NotRun     Status = "not run"    // fallacy's own trouble
	Unexpected Status = "unexpected" // the other verdict, or other anomalies
)

// Status compares the outcome to what was expected.
func (o Outcome) Status() Status {
	switch {
	case o.Trouble != "":
		return NotRun
	case o.Verdict == o.Expect && (len(o.Among) == 0 || slices.ContainsFunc(o.Among, o.shows)):
		return AsExpected
	case o.Verdict == fallacy.Unknown:
		return NotKnown
	}
	return Unexpected
}

func (o Outcome) shows(anomaly string) bool { return slices.Contains(o.Anomalies, anomaly) }

// Why says in a sentence what there is to say of the outcome; empty if all is
// as expected and valid.
func (o Outcome) Why() string {
	found := strings.Join(o.Anomalies, ", ")
	switch o.Status() {
	case NotRun:
		return o.Trouble
	case NotKnown:
		return o.Reason
	case AsExpected:
		return found
	}
	switch {
	case o.Verdict == fallacy.Invalid && o.Expect == fallacy.Invalid:
		return fmt.Sprintf("it is invalid as expected, but shows %s rather than %s", found, strings.Join(o.Among, " or "))
	case o.Verdict == fallacy.Invalid:
		return found + ": " + o.Told
	}
	return fmt.Sprintf("it is %s, and was expected to be %s: mended, or no longer provoked?", o.Verdict, o.Expect)
}

// Line is the outcome in a line for people.
func (o Outcome) Line() string {
	text := o.ID() + ": "
	if s := o.Status(); s != AsExpected {
		text += strings.ToUpper(string(s)) + ": "
	}
	why := strings.ReplaceAll(o.Why(), "\n", "; ")
	switch {
	case o.Trouble != "":
		text += why
	case why != "":
		text += o.Verdict.String() + " (" + why + ")"
	default:
		text += o.Verdict.String()
	}
	if o.Attempts > 1 {
		text += fmt.Sprintf(", at the %s attempt", ordinal(o.Attempts))
	}
	return fmt.Sprintf("%s, %v %s", text, o.Took.Round(time.Second), o.Dir)
}

func ordinal(n int) string {
	switch n {
	case 2:
		return "second"
	case 3:
		return "third"
	}
	return fmt.Sprintf("%dth", n)
}
