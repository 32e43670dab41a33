package ssh

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// stream is the input and output of an agent in its session.
type stream struct {
	*io.PipeReader
	io.Writer
	session *ssh.Session
	input   io.Closer
	errs    head
	ended   chan struct{} // closed when the session is over
	err     error         // how; to be read then
}

// newStream starts a command.
func newStream(session *ssh.Session, command string) (*stream, error) {
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	s := &stream{PipeReader: r, Writer: in, session: session, input: in, ended: make(chan struct{})}
	session.Stdout, session.Stderr = sink{w}, &s.errs
	if err := session.Start(command); err != nil {
		return nil, fmt.Errorf("start the agent: %w", err)
	}
	go func() {
		defer close(s.ended)
		err := session.Wait()
		var gone *ssh.ExitMissingError
		if errors.As(err, &gone) {
			err = errors.New("the connection is lost")
		}
		if err != nil {
			s.err = complain(fmt.Errorf("the agent ended: %w", err), s.errs.String())
		}
		w.CloseWithError(s.err) // nil: the end of the stream
	}()
	return s, nil
}

// Close ends the agent's input, at which it heals and ends. What it still says
// is not read.
func (s *stream) Close() error {
	_ = s.PipeReader.Close() // never fails
	return s.input.Close()
}

// sink drops what nobody reads any more: an agent that ends still may say something.
type sink struct{ to *io.PipeWriter }

func (s sink) Write(p []byte) (int, error) {
	if n, err := s.to.Write(p); !errors.Is(err, io.ErrClosedPipe) {
		return n, err
	}
	return len(p), nil
}

// head keeps the beginning of what is written to it.
type head struct {
	mu   sync.Mutex
	text []byte
}

const headMax = 1000

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, p[:min(len(p), headMax-len(h.text))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.TrimSpace(string(h.text))
}
