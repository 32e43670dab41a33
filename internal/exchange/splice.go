package exchange

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// switchboard accepts connections and carries them on, until it is closed.
type switchboard struct {
	listener net.Listener
	ctx      context.Context
	cancel   context.CancelFunc
	wait     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// open listens on addr. Every connection is handed to answer, which returns the
// address to carry it on to.
func open(addr string, answer func(near net.Conn) (far string, err error)) (*switchboard, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &switchboard{listener: l, conns: make(map[net.Conn]bool)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.wait.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return // closed
			}
			s.wait.Go(func() { s.carry(near.(*net.TCPConn), answer) })
		}
	})
	return s, nil
}

// Addr returns where it listens, host:port.
func (s *switchboard) Addr() string { return s.listener.Addr().String() }

// Close ends every connection.
func (s *switchboard) Close() error {
	s.cancel()
	err := s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wait.Wait()
	return err
}

// keep makes c go when the switchboard does; false if that is gone already.
func (s *switchboard) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = true
	return s.ctx.Err() == nil
}

func (s *switchboard) drop(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	_ = c.Close()
}

// carry connects near to where it wants to go, and copies both ways.
func (s *switchboard) carry(near *net.TCPConn, answer func(net.Conn) (string, error)) {
	defer s.drop(near)
	if !s.keep(near) {
		return
	}
	addr, err := answer(near)
	if err != nil {
		_ = near.SetLinger(0)
		return
	}
	far, err := (&net.Dialer{}).DialContext(s.ctx, "tcp", addr)
	if err != nil {
		_ = near.SetLinger(0)
		return
	}
	defer s.drop(far)
	if !s.keep(far) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { pump(near, far.(*net.TCPConn)) })
	both.Go(func() { pump(far.(*net.TCPConn), near) })
	both.Wait()
}

// pump copies until src ends, and then ends dst in the same way: with a farewell
// or with a reset.
func pump(src, dst *net.TCPConn) {
	_, err := io.Copy(dst, src)
	if err == nil {
		_ = dst.CloseWrite()
		return
	}
	if !errors.Is(err, net.ErrClosed) {
		_ = dst.SetLinger(0)
		_ = src.SetLinger(0)
	}
	_ = dst.Close()
	_ = src.Close()
}
