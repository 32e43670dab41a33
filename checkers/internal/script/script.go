// Package script reads histories and prints findings the way the checkers'
// tests write them, so that a page shows the evidence with the verdict below it.
//
//	0 invoke add 7
//	0 ok     add 7
//	1 invoke read null
//	1 ok     read [] @n2
//	nemesis/kill invoke inject null
//	2 fail   dequeue null # empty
//
// A line is a process, a type, a function and a value in JSON; then, as needed,
// the node after @, the time since the run began after ~ and the error after #. Ops
// are a millisecond apart, but for those of which a time is told.
package script

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// History reads a history. Empty lines are passed over.
func History(text string) (fallacy.History, error) {
	var h fallacy.History
	for number, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		op, err := parse(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		op.Index = len(h)
		if op.Time == 0 && len(h) > 0 {
			op.Time = h[len(h)-1].Time + time.Millisecond
		}
		h = append(h, op)
	}
	return h, h.Validate()
}

func parse(line string) (op fallacy.Op, err error) {
	line, op.Error, _ = cutRight(line, " # ")
	line, at, timed := cutRight(line, " ~")
	if timed {
		if op.Time, err = time.ParseDuration(at); err != nil {
			return op, err
		}
	}
	line, op.Node, _ = cutRight(line, " @")
	fields := strings.Fields(line)
	if len(fields) < 4 {
		return op, fmt.Errorf("%q has fewer than four fields", line)
	}
	if name, ok := strings.CutPrefix(fields[0], "nemesis"); ok {
		op.Process, op.Nemesis = fallacy.NemesisProcess, strings.TrimPrefix(name, "/")
	} else if op.Process, err = strconv.Atoi(fields[0]); err != nil {
		return op, fmt.Errorf("process %q: %w", fields[0], err)
	}
	if op.Type, err = fallacy.ParseType(fields[1]); err != nil {
		return op, err
	}
	op.F = fields[2]
	op.Value, err = fallacy.ParseValue([]byte(strings.Join(fields[3:], " ")))
	return op, err
}

func cutRight(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], strings.TrimSpace(s[i+len(sep):]), true
	}
	return s, "", false
}

// Finding prints the verdict, the reason, and each anomaly with its ops.
func Finding(f fallacy.Finding) string {
	var b strings.Builder
	fmt.Fprintln(&b, f.Verdict)
	if f.Reason != "" {
		fmt.Fprintf(&b, "reason: %s\n", f.Reason)
	}
	for _, a := range f.Anomalies {
		fmt.Fprintf(&b, "%s %v: %s\n", a.Name, a.Ops, a.Why)
	}
	return b.String()
}

// Lines reads a history of JSON lines, as far as it can be read, for fuzz tests:
// lines that are no ops are passed over, and indexes are given anew.
func Lines(data []byte) fallacy.History {
	var h fallacy.History
	for line := range strings.Lines(string(data)) {
		if op, err := fallacy.ParseOp([]byte(strings.TrimSpace(line))); err == nil {
			op.Index = len(h)
			h = append(h, op)
		}
	}
	return h
}

// JSON returns a history of the notation above as JSON lines.
func JSON(text string) []byte {
	h, _ := History(text)
	var b []byte
	for _, op := range h {
		b = append(op.AppendJSON(b), '\n')
	}
	return b
}
