package checkers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

const crashesDoc = `no node's log tells of a crash

Every line of every node's logs is held against the target's crash patterns: a
panic, a failed assertion, a data race, an out-of-memory. A match is the anomaly
"crash", with the node, the file and the line.

Being killed or terminated is what a fault does to a process, and the line that
tells of it is not a crash, whatever the patterns say. It cannot see a crash
that wrote nothing, nor what was cut off a log, and of a line longer than 64 KiB
it sees the beginning.

Source: Jepsen's log-file-pattern checker.`

// longestLine is how much of a line is looked at.
const longestLine = 64 << 10

// expectedEnd matches what is written about a process that a fault has ended.
var expectedEnd = regexp.MustCompile(`(?i)\b(signal: (killed|terminated)|SIGKILL|SIGTERM)\b`)

// Crashes returns the checker of nodes' logs, which lie in logs as
// <node>/<file>, against patterns, which are regular expressions.
func Crashes(logs fs.FS, patterns []string) *fallacy.Checker {
	return &fallacy.Checker{
		Name: "crashes",
		Doc:  crashesDoc,
		Check: func(ctx context.Context, _ fallacy.History) (fallacy.Finding, error) {
			s := logScan{ctx: ctx, logs: logs}
			if logs == nil || len(patterns) == 0 {
				return unknown("there are no logs or no patterns to look for"), nil
			}
			for _, p := range patterns {
				re, err := regexp.Compile(p)
				if err != nil {
					return fallacy.Finding{}, fmt.Errorf("crash pattern %q: %w", p, err)
				}
				s.patterns = append(s.patterns, re)
			}
			err := fs.WalkDir(logs, ".", s.visit)
			finding := s.found.finding(s.details.Files, s.details)
			if err != nil && finding.Verdict == fallacy.Invalid { // what was found stays found
				finding.Reason, err = err.Error(), nil
			}
			return finding, err
		},
	}
}

// logScan is one walk over the logs.
type logScan struct {
	ctx      context.Context
	logs     fs.FS
	patterns []*regexp.Regexp
	found    evidence
	details  struct {
		Files int `json:"files"`
		Lines int `json:"lines"`
	}
}

func (s *logScan) visit(path string, d fs.DirEntry, err error) error {
	if err != nil {
		return fmt.Errorf("reading logs: %w", err)
	}
	if !d.Type().IsRegular() {
		return nil
	}
	f, err := s.logs.Open(path)
	if err != nil {
		return fmt.Errorf("reading logs: %w", err)
	}
	defer f.Close()
	s.details.Files++
	if err := s.scan(path, f); err != nil {
		return fmt.Errorf("reading log %s: %w", path, err)
	}
	return nil
}

func (s *logScan) scan(path string, r io.Reader) error {
	in := bufio.NewReaderSize(r, longestLine)
	for number := 1; ; number++ {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			s.details.Lines++
			s.line(path, number, line)
		}
		for errors.Is(err, bufio.ErrBufferFull) { // the rest of a long line
			_, err = in.ReadSlice('\n')
		}
		if err == io.EOF {
			return nil
		}
		if err == nil && number%1024 == 0 {
			err = s.ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

func (s *logScan) line(path string, number int, line []byte) {
	for _, p := range s.patterns {
		if !p.Match(line) || expectedEnd.Match(line) {
			continue
		}
		node, file, ok := strings.Cut(path, "/")
		if !ok {
			node, file = "unknown", path
		}
		text := strings.ToValidUTF8(strings.TrimSpace(string(line[:min(len(line), 300)])), "\uFFFD")
		s.found.add("crash", nil, "node %s wrote into %s, line %d: %s", node, file, number, text)
		return
	}
}
