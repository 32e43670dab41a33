package agent

import (
	"context"
	"errors"
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// serviceName is what the calls on the wire begin with.
const serviceName = "Agent"

// callTimeout bounds what one call may take on the node.
const callTimeout = 25 * time.Second

// Serve answers the controller on stream until it ends, then heals the node and
// returns. It also ends when ctx is done.
func Serve(ctx context.Context, stream io.ReadWriteCloser, opts Options) error {
	if opts.Host == HostAuto || opts.Host == HostAuto6 {
		var err error
		if opts.Host, err = ownAddress(opts.Host == HostAuto); err != nil {
			return err
		}
	}
	a := New(opts)
	server := rpc.NewServer()
	if err := server.RegisterName(serviceName, &service{a}); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.ServeCodec(jsonrpc.NewServerCodec(stream))
	}()
	// A read from a pipe may go on although the stream was closed here, so the end
	// of it is not waited for when somebody wants the agent to end.
	select {
	case <-ended:
	case <-ctx.Done():
	}
	return errors.Join(a.Close(), ignoreClosed(stream.Close()))
}

// service is the agent as net/rpc wants it: methods of two arguments.
type service struct{ a *Agent }

// alive renews the lease, as every call is a sign of life.
func (s *service) alive() (context.Context, context.CancelFunc) {
	s.a.mu.Lock()
	life := s.a.life
	s.a.mu.Unlock()
	if life != nil {
		life.renew()
	}
	return context.WithTimeout(context.Background(), callTimeout)
}

// Nothing is an argument or an answer that says nothing.
type Nothing struct{}

// Hello is [Agent.Hello].
func (s *service) Hello(h Hello, g *Greeting) (err error) {
	*g, err = s.a.Hello(h)
	return err
}

// Connect is [Agent.Connect].
func (s *service) Connect(r Routes, d *Doors) (err error) {
	*d, err = s.a.Connect(r)
	return err
}

// Start is [Agent.Start].
func (s *service) Start(p fallacy.Process, started *Started) (err error) {
	ctx, cancel := s.alive()
	defer cancel()
	*started, err = s.a.Start(ctx, p)
	return err
}

// Replace is [Agent.Replace].
func (s *service) Replace(p fallacy.Process, _ *Nothing) error {
	ctx, cancel := s.alive()
	defer cancel()
	return s.a.Replace(ctx, p)
}

// Apply is [Agent.Apply].
func (s *service) Apply(state State, _ *Nothing) error {
	ctx, cancel := s.alive()
	defer cancel()
	return s.a.Apply(ctx, state)
}

// Alive is a sign of life.
func (s *service) Alive(Nothing, *Nothing) error {
	_, cancel := s.alive()
	cancel()
	return nil
}

// Ping sends a ping to every peer.
func (s *service) Ping(p Ping, _ *Nothing) error {
	s.a.mu.Lock()
	probes := s.a.probes
	s.a.mu.Unlock()
	if probes == nil {
		return errors.New("the agent was not greeted")
	}
	probes.Ping(p)
	return nil
}

// Report is [Agent.Report].
func (s *service) Report(l Look, r *Report) (err error) {
	*r, err = s.a.Report(l)
	return err
}

// Samples is [Agent.Samples].
func (s *service) Samples(_ Nothing, samples *Samples) error {
	*samples = s.a.Samples()
	return nil
}

// Logs is [Agent.Logs].
func (s *service) Logs(_ Nothing, files *[]File) (err error) {
	*files, err = s.a.Logs()
	return err
}

// Read is [Agent.Read].
func (s *service) Read(c Chunk, data *[]byte) (err error) {
	*data, err = s.a.Read(c)
	return err
}

// ignoreClosed forgives closing what the other end, or the codec, closed before.
func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
