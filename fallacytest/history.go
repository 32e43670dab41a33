package fallacytest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// History reads a history as people write it, an op a line:
//
//	0 invoke write ["x",1]
//	0 ok     write ["x",1]
//	1 invoke read ["x",null]
//	1 info   read ["x",null] # timed out
//	nemesis/kill invoke inject null
//
// A line is a process, a type, a function and a value in JSON, and the error
// after a #. Ops are a millisecond apart. Lines of JSON, as a run's history has
// them, may stand among them.
func History(text string) (fallacy.History, error) {
	var h fallacy.History
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		op, err := parseOp(line)
		if err != nil {
			return nil, fmt.Errorf("line %d of the history: %w", number, err)
		}
		op.Index, op.Time = len(h), time.Duration(len(h))*time.Millisecond
		h = append(h, op)
	}
	return h, h.Validate()
}

func parseOp(line string) (op fallacy.Op, err error) {
	if strings.HasPrefix(line, "{") {
		return fallacy.ParseOp([]byte(line))
	}
	if i := strings.LastIndex(line, " # "); i >= 0 {
		line, op.Error = line[:i], strings.TrimSpace(line[i+3:])
	}
	fields := strings.Fields(line)
	if len(fields) < 4 {
		return op, fmt.Errorf("%q has fewer than four fields: a process, a type, a function, a value", line)
	}
	if name, ok := strings.CutPrefix(fields[0], "nemesis/"); ok {
		op.Process, op.Nemesis = fallacy.NemesisProcess, name
	} else if op.Process, err = strconv.Atoi(fields[0]); err != nil {
		return op, fmt.Errorf("the process is %q, want a number or nemesis/NAME", fields[0])
	}
	if op.Type, err = fallacy.ParseType(fields[1]); err != nil {
		return op, err
	}
	op.F = fields[2]
	if op.Value, err = fallacy.ParseValue([]byte(strings.Join(fields[3:], " "))); err != nil {
		return op, fmt.Errorf("the value of %q: %w", line, err)
	}
	return op, nil
}
