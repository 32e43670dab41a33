package txn_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/internal/script"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

// TestScripts judges the histories in testdata. A line is a process, a type, and
// micro-ops as Elle's papers write them: ax1 appends 1 to x, rx reads x, and
// rx[1,2] read 1 and 2 there; wx1 writes 1 to x. The command is "append" or
// "register", and its arguments are options. Run with -rewrite, then read the difference.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, filepath.Join("testdata", "scripts"), func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			h, err := notation(d.Input)
			if err != nil {
				d.Fatalf(t, "reading the history: %v", err)
			}
			o, err := options(d)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			checker := map[string]*fallacy.Checker{"append": txn.AppendWith(o), "register": txn.RegisterWith(o)}[d.Cmd]
			f, err := checker.Check(t.Context(), h)
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			out := script.Finding(f)
			if m := f.Details.(txn.Details).Models; len(m.Not) > 0 {
				out += fmt.Sprintf("not %s\n", strings.Join(m.Not, ", "))
			}
			return out
		})
	})
}

// options reads a command's arguments.
func options(d *datadriven.TestData) (o txn.Options, err error) {
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "models":
			o.Models = arg.Vals
		case "anomalies":
			o.Anomalies = arg.Vals
		case "graphs":
			o.AdditionalGraphs = arg.Vals
		case "wfr":
			o.WFRKeys = true
		case "sequential":
			o.SequentialKeys = true
		case "linearizable":
			o.LinearizableKeys = true
		default:
			return o, fmt.Errorf("option %q", arg.Key)
		}
	}
	return o, nil
}

func notation(text string) (fallacy.History, error) {
	var out strings.Builder
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		var ops []fallacy.MicroOp
		for _, field := range fields[2:] {
			op, err := microOp(field)
			if err != nil {
				return nil, err
			}
			ops = append(ops, op)
		}
		fmt.Fprintf(&out, "%s %s txn %v\n", fields[0], fields[1], fallacy.Txn(ops...))
	}
	return script.History(out.String())
}

func microOp(s string) (op fallacy.MicroOp, err error) {
	if len(s) < 2 {
		return op, fmt.Errorf("micro-op %q is too short", s)
	}
	op.Key = fallacy.String(s[1:2])
	switch {
	case s[0] == 'a' || s[0] == 'w':
		n, err := strconv.Atoi(s[2:])
		op.F, op.Value = map[byte]string{'a': "append", 'w': "w"}[s[0]], fallacy.Int(n)
		return op, err
	case s[0] != 'r':
		return op, fmt.Errorf("micro-op %q is none of a, w and r", s)
	}
	op.F = "r"
	if len(s) > 2 {
		op.Value, err = fallacy.ParseValue([]byte(s[2:]))
	}
	return op, err
}
