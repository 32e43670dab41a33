package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Limits on a program that judges a history.
const (
	findingMax = 64 << 20        // bytes of what it prints
	stderrKept = 2 << 10         // bytes of its complaints that are passed on
	endFor     = 2 * time.Second // for which it may go on after it was told to end
)

// externalChecker makes a checker of a program in any language. It is given the
// history on standard input, a JSON object a line, and prints its finding as
// JSON; see the manual page. A program that fails, takes too long or prints
// nonsense comes to unknown, with the reason.
func externalChecker(path string) (*fallacy.Checker, error) {
	program, err := exec.LookPath(path)
	if err != nil {
		return nil, fmt.Errorf("--checker %s: %w", path, err)
	}
	if program, err = filepath.Abs(program); err != nil {
		return nil, err
	}
	return &fallacy.Checker{
		Name: filepath.Base(path),
		Doc:  "a program of your own\n\n" + program,
		Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			return judgeBy(ctx, program, h)
		},
	}, nil
}

// checkersNamed are what --checker asks for: checkers from the shelf by name, and
// programs by path.
func (c Catalogue) checkersNamed(names []string) (all []*fallacy.Checker, err error) {
	for _, name := range names {
		var k *fallacy.Checker
		if strings.ContainsRune(name, filepath.Separator) {
			k, err = externalChecker(name)
		} else {
			k, err = find("checker", name, c.everyChecker(), func(k *fallacy.Checker) string { return k.Name })
		}
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

const externalDoc = `

--checker names a checker that judges as well: one that "fallacy list checkers"
shows, or the path of a program of your own (./mine). It reads the history on
standard input, a JSON object a line, and prints its finding:

  {"verdict":"invalid","examined":120,"anomalies":[{"name":"five","why":"process 3 read 5","ops":[17]}]}`

func judgeBy(ctx context.Context, program string, h fallacy.History) (fallacy.Finding, error) {
	cmd := exec.CommandContext(ctx, program)
	cmd.WaitDelay = endFor
	var out, complaints bytes.Buffer
	cmd.Stdout = &limited{&out, findingMax}
	cmd.Stderr = &limited{&complaints, stderrKept}
	in, err := cmd.StdinPipe()
	if err != nil {
		return fallacy.Finding{}, err
	}
	if err := cmd.Start(); err != nil {
		return fallacy.Finding{}, err
	}
	// A program may stop reading when it has seen enough; that is its own business.
	_ = writeHistory(in, h)
	if err := cmd.Wait(); err != nil {
		return fallacy.Finding{}, errors.Join(ctx.Err(), fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(complaints.String())))
	}
	return readFinding(out.Bytes())
}

func writeHistory(w io.WriteCloser, h fallacy.History) error {
	defer w.Close()
	buf := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	for _, op := range h {
		line = append(op.AppendJSON(line[:0]), '\n')
		if _, err := buf.Write(line); err != nil {
			return err
		}
	}
	return buf.Flush()
}

// readFinding reads what a program printed: one JSON object with a verdict. What
// it adds of its own belongs into details, so that a slip of the pen shows.
func readFinding(text []byte) (fallacy.Finding, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var f struct {
		fallacy.Finding
		Verdict *fallacy.Verdict `json:"verdict"`
	}
	if err := dec.Decode(&f); err != nil {
		return fallacy.Finding{}, fmt.Errorf("its finding is not the JSON of one: %w", err)
	}
	if dec.More() {
		return fallacy.Finding{}, errors.New("it printed more than one finding")
	}
	if f.Verdict == nil {
		return fallacy.Finding{}, errors.New("its finding has no verdict")
	}
	f.Finding.Verdict = *f.Verdict
	if len(f.Anomalies) > 0 && f.Finding.Verdict == fallacy.Valid {
		return fallacy.Finding{}, fmt.Errorf("its finding is valid and has %d anomalies", len(f.Anomalies))
	}
	return f.Finding, nil
}

// limited writes to w until it is full, and drops the rest.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	if _, err := l.w.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}
