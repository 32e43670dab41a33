package results

import (
	"bufio"
	"regexp"
	"strconv"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// writeEDN writes a history as Jepsen's history.edn: a map a line. Functions,
// also those of micro-ops, are keywords where they can be; what a nemesis does
// is of the process :nemesis, or of one named after it by a string. Package
// jepsen reads the same history from it. Unknown fields that EDN has no
// keyword for are left out.
func writeEDN(w *bufio.Writer, _ Run, h fallacy.History) error {
	var line []byte
	for _, op := range h {
		line = append(appendOpEDN(line[:0], op), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func appendOpEDN(b []byte, op fallacy.Op) []byte {
	b = append(append(b, "{:type :"...), op.Type.String()...)
	b = appendNameEDN(append(b, ", :f "...), op.F)
	b = appendEDN(append(b, ", :value "...), op.Value)
	b = append(b, ", :process "...)
	switch {
	case op.IsClient():
		b = strconv.AppendInt(b, int64(op.Process), 10)
	case op.Nemesis == "":
		b = append(b, ":nemesis"...)
	default:
		b = appendTextEDN(b, op.Nemesis)
	}
	b = strconv.AppendInt(append(b, ", :time "...), int64(op.Time), 10)
	b = strconv.AppendInt(append(b, ", :index "...), int64(op.Index), 10)
	if op.Error != "" {
		b = appendTextEDN(append(b, ", :error "...), op.Error)
	}
	if op.Node != "" {
		b = appendTextEDN(append(b, ", :node "...), op.Node)
	}
	if op.Extra != "" {
		extra, _ := fallacy.ParseValue([]byte("{" + op.Extra + "}")) // nil if EDN has no form for it
		fields, _ := extra.Fields()
		for _, f := range fields {
			if keyword.MatchString(f.Name) {
				b = appendEDN(append(append(append(b, ", :"...), f.Name...), ' '), f.Value)
			}
		}
	}
	return append(b, '}')
}

// keyword matches what can stand behind a colon for every reader of EDN.
var keyword = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// appendNameEDN appends a keyword, or a string if that cannot be one.
func appendNameEDN(b []byte, name string) []byte {
	if keyword.MatchString(name) {
		return append(append(b, ':'), name...)
	}
	return appendTextEDN(b, name)
}

var escapesEDN = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

func appendTextEDN(b []byte, text string) []byte {
	return append(append(append(b, '"'), escapesEDN.Replace(text)...), '"')
}

func appendEDN(b []byte, v fallacy.Value) []byte {
	if text, ok := v.Str(); ok {
		return appendTextEDN(b, text)
	}
	if fields, ok := v.Fields(); ok {
		b = append(b, '{')
		for i, f := range fields {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendEDN(append(appendTextEDN(b, f.Name), ' '), f.Value)
		}
		return append(b, '}')
	}
	if v.Kind() == fallacy.KindTxn {
		ops, _ := v.Txn()
		b = append(b, '[')
		for i, op := range ops {
			if i > 0 {
				b = append(b, ' ')
			}
			b = appendNameEDN(append(b, '['), op.F)
			b = appendEDN(append(b, ' '), op.Key)
			b = append(appendEDN(append(b, ' '), op.Value), ']')
		}
		return append(b, ']')
	}
	if list, ok := v.List(); ok {
		b = append(b, '[')
		for i, e := range list {
			if i > 0 {
				b = append(b, ' ')
			}
			b = appendEDN(b, e)
		}
		return append(b, ']')
	}
	if v.IsNil() {
		return append(b, "nil"...)
	}
	return v.AppendJSON(b) // whole numbers, true and false look the same
}
