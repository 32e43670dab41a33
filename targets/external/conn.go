package external

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Limits on a client's program.
const (
	answerMax = 64 << 20        // bytes of an answer
	wordsKept = 4 << 10         // bytes of its complaints
	endFor    = 2 * time.Second // for which it may go on after its input has ended
)

// conn is a program that applies operations, one at a time. It is a fallacy.Client.
type conn struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	hello chan struct{} // closed when it has said its first line, or ended
	first []byte        // that line; nil: it has ended; to be read after hello
	out   chan []byte   // its further lines; closed at the end of its output
	words words
	id    int
	over  sync.Once

	mu   sync.Mutex
	gone bool
}

func start(cmd *exec.Cmd) (*conn, error) {
	c := &conn{cmd: cmd, hello: make(chan struct{}), out: make(chan []byte)}
	// In a process group of its own, a Ctrl-C at the terminal does not reach it, and
	// what it started ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Stderr = &c.words
	var err error
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the client: %w", err)
	}
	go c.read(out)
	return c, nil
}

// read hands out the program's lines until there are no more.
func (c *conn) read(out io.Reader) {
	defer close(c.out)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, answerMax)
	if lines.Scan() {
		c.first = bytes.Clone(lines.Bytes())
	}
	close(c.hello)
	for lines.Scan() {
		c.out <- bytes.Clone(lines.Bytes())
	}
}

// greeted waits until the program has said that it is ready.
func (c *conn) greeted(ctx context.Context) error {
	select {
	case <-c.hello:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if c.first == nil {
		return c.ended()
	}
	var said struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(c.first, &said); err != nil || said.Type != "ready" {
		return &nonsenseError{`its first line has to be {"type":"ready"}`, c.first}
	}
	return nil
}

// question is an operation as the program reads it.
type question struct {
	ID        int             `json:"id"`
	F         string          `json:"f"`
	Value     json.RawMessage `json:"value"`
	Process   int             `json:"process"`
	TimeoutMS int64           `json:"timeout_ms,omitempty"`
}

// Invoke has the program perform op. An error wraps fallacy.ErrFailed only if
// the program says so; a program that ends, is late or talks nonsense leaves
// what happened unknown, and is ended.
func (c *conn) Invoke(ctx context.Context, op fallacy.Op) (fallacy.Value, error) {
	c.id++
	q := question{ID: c.id, F: op.F, Value: op.Value.AppendJSON(nil), Process: op.Process}
	if deadline, ok := ctx.Deadline(); ok {
		q.TimeoutMS = time.Until(deadline).Milliseconds()
	}
	line, err := json.Marshal(q)
	if err != nil {
		return fallacy.Nil(), fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = c.in.Write(append(line, '\n')) // a program that does not read does not answer either
	}()
	select {
	case text, ok := <-c.out:
		if !ok {
			return fallacy.Nil(), c.ended()
		}
		select {
		case <-sent:
		case <-ctx.Done(): // it has answered before it has read the question
			c.kill()
			return fallacy.Nil(), fmt.Errorf("the client does not read its input: %w", context.Cause(ctx))
		}
		value, err := judge(text, c.id, op)
		var odd *nonsenseError
		if errors.As(err, &odd) {
			c.kill()
		}
		return value, err
	case <-ctx.Done():
		c.kill()
		return fallacy.Nil(), fmt.Errorf("the client did not answer in time: %w", context.Cause(ctx))
	}
}

// ended is the error of a program that ended by itself.
func (c *conn) ended() error {
	err := c.wait()
	if err == nil {
		err = errors.New("exit status 0")
	}
	if said := c.words.last(); said != "" {
		return fmt.Errorf("the client ended: %w: %s", err, said)
	}
	return fmt.Errorf("the client ended: %w", err)
}

// kill ends the program and what it has started. Once it is gone its number may
// be another's.
func (c *conn) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		_ = c.cmd.Cancel()
	}
}

// wait waits for the end of a program whose output has ended.
func (c *conn) wait() (err error) {
	c.over.Do(func() {
		_ = c.in.Close()
		late := time.AfterFunc(endFor, c.kill)
		defer late.Stop()
		err = c.cmd.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.gone = true
	})
	return err
}

// Close ends the program's input, and the program if it does not take the hint.
func (c *conn) Close() error {
	_ = c.in.Close()
	late := time.AfterFunc(endFor, c.kill)
	defer late.Stop()
	for range c.out { // what it has to say yet is nobody's answer
	}
	_ = c.wait() // how a client ends after its last answer is its own business
	return nil
}

// words keeps the end of what a program complains of.
type words struct {
	mu   sync.Mutex
	text []byte
}

// Write keeps the last of what is written.
func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if more := len(w.text) - wordsKept; more > 0 {
		w.text = append(w.text[:0], w.text[more:]...)
	}
	return len(p), nil
}

func (w *words) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return lastLine(w.text)
}
