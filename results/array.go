package results

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// isArray tells whether what begins with start is one array of JSON objects, as
// Jepsen's tools and their kin export histories, rather than a vector of EDN.
func isArray(start []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(start, " \t\r\n"), []byte{'['})
	rest = bytes.TrimLeft(rest, " \t\r\n")
	if !ok || len(rest) == 0 {
		return false
	}
	if rest[0] != '{' {
		return false
	}
	rest = bytes.TrimLeft(rest[1:], " \t\r\n")
	return len(rest) > 0 && rest[0] == '"'
}

// readArray reads a history that is one array of ops. Of keywords that were
// written with their colon, ":read", the colon is left out in f and type; any
// process that is a name is a nemesis.
func readArray(in *bufio.Reader) (h fallacy.History, damage *Damage) {
	d := json.NewDecoder(in)
	var parser fallacy.Parser
	fail := func(err error) *Damage {
		return &Damage{Line: len(h) + 1, Kept: len(h), Reason: fmt.Sprintf("op %d of the array: %v", len(h), err)}
	}
	if _, err := d.Token(); err != nil { // the bracket
		return nil, fail(err)
	}
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return h, fail(err)
		}
		op, err := parser.Op(plainKeywords(raw))
		if err != nil {
			return h, fail(err)
		}
		if op.Index < 0 {
			op.Index = len(h)
		}
		op.F = strings.TrimPrefix(op.F, ":")
		h = append(h, op)
	}
	if _, err := d.Token(); err != nil {
		return h, fail(err)
	}
	return h, nil
}

// colons are the keywords that have a place of their own in an op.
var colons = strings.NewReplacer(`":invoke"`, `"invoke"`, `":ok"`, `"ok"`, `":fail"`, `"fail"`, `":info"`, `"info"`, `":nemesis"`, `"nemesis"`)

// keyed is how a value that is a keyword with its colon begins.
var keyed = regexp.MustCompile(`":(?:invoke|ok|fail|info|nemesis)"`)

func plainKeywords(raw []byte) []byte {
	if !keyed.Match(raw) {
		return raw
	}
	return []byte(colons.Replace(string(raw)))
}
