package checkers

import (
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// mostOfAName is how many anomalies of one name a finding carries. The totals
// are in its details.
const mostOfAName = 16

// evidence collects anomalies, the first few of each name, and counts the rest.
type evidence struct {
	anomalies []fallacy.Anomaly
	totals    map[string]int
}

// add reports an anomaly that the calls prove. The sentence is made only if it is kept.
func (e *evidence) add(name string, calls []fallacy.Call, format string, args ...any) {
	if e.totals == nil {
		e.totals = make(map[string]int)
	}
	e.totals[name]++
	if e.totals[name] > mostOfAName {
		return
	}
	e.anomalies = append(e.anomalies, fallacy.Anomaly{
		Name: name,
		Why:  fmt.Sprintf(format, args...),
		Ops:  opsOf(calls),
	})
}

// finding is what the evidence comes to, given that examined calls were looked at.
func (e *evidence) finding(examined int, details any) fallacy.Finding {
	f := fallacy.Finding{Verdict: fallacy.Valid, Examined: examined, Anomalies: e.anomalies, Details: details}
	switch {
	case len(e.anomalies) > 0:
		f.Verdict = fallacy.Invalid
	case examined == 0:
		f.Verdict, f.Reason = fallacy.Unknown, "nothing examined"
	}
	return f
}

// opsOf returns the indexes of the calls' ops, in order and without repetition.
func opsOf(calls []fallacy.Call) []int {
	ops := []int{}
	for _, c := range calls {
		if c.Invoke != nil {
			ops = append(ops, c.Ops()...)
		}
	}
	slices.Sort(ops)
	return slices.Compact(ops)
}

// never is the end of a call that may still take effect at any later time, and
// the time of what did not happen.
const never = int(^uint(0) >> 1)

// endOf returns the index at which the call had certainly taken effect or
// certainly not; never after info.
func endOf(c fallacy.Call) int {
	if c.Type() == fallacy.Info {
		return never
	}
	return c.Complete.Index
}

// opOf names the op by which a call is best found: its completion, or else its invocation.
func opOf(c fallacy.Call) int {
	if c.Complete == nil {
		return c.Invoke.Index
	}
	return c.Complete.Index
}

// unexpected is the error about a call that a checker cannot judge.
func unexpected(c fallacy.Call, want string) error {
	return fmt.Errorf("op %d: f is %q with value %v, want %s", opOf(c), c.Invoke.F, c.Value(), want)
}

// unless returns the finding, as unknown for the reason if it passed on nothing.
func unless(f fallacy.Finding, seen bool, reason string) fallacy.Finding {
	if f.Verdict == fallacy.Valid && !seen {
		f.Verdict, f.Reason = fallacy.Unknown, reason
	}
	return f
}
