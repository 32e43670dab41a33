package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// dialTimeout bounds one connection with its handshake.
const dialTimeout = 10 * time.Second

// connection is a host we are logged in to, and those that lie on the way.
type connection struct {
	*ssh.Client
	way []*ssh.Client
}

// Close logs out everywhere.
func (c *connection) Close() error {
	err := c.Client.Close()
	for i := len(c.way) - 1; i >= 0; i-- {
		_ = c.way[i].Close() // it may have gone with the other
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// connect logs in to the host called name. The error says in a sentence what is
// wrong with whom.
func (o Options) connect(ctx context.Context, name string) (*connection, error) {
	end, err := o.resolve(name)
	if err != nil {
		return nil, err
	}
	c := &connection{}
	for _, jump := range end.jump {
		via := o
		via.Jump, via.Port = "", 0
		h, err := via.resolve(strings.TrimSpace(jump))
		if err != nil {
			return nil, errors.Join(err, c.back())
		}
		if at, port, err := net.SplitHostPort(strings.TrimSpace(jump)); err == nil && port != "" {
			h.addr = net.JoinHostPort(at[strings.LastIndexByte(at, '@')+1:], port)
		}
		client, err := via.step(ctx, h, c.last())
		if err != nil {
			return nil, errors.Join(err, c.back())
		}
		c.way = append(c.way, client)
	}
	if c.Client, err = o.step(ctx, end, c.last()); err != nil {
		return nil, errors.Join(err, c.back())
	}
	return c, nil
}

// last is the host that the next is reached from; nil: from here.
func (c *connection) last() *ssh.Client {
	if len(c.way) == 0 {
		return nil
	}
	return c.way[len(c.way)-1]
}

// back gives up half a way.
func (c *connection) back() error {
	var errs []error
	for _, w := range c.way {
		errs = append(errs, w.Close())
	}
	return errors.Join(errs...)
}

// step logs in to one host, from another or from here.
func (o Options) step(ctx context.Context, h host, from *ssh.Client) (*ssh.Client, error) {
	config, err := o.config(h)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dial := (&net.Dialer{}).DialContext
	if from != nil {
		dial = from.DialContext
	}
	conn, err := dial(ctx, "tcp", h.addr)
	if err != nil {
		return nil, fmt.Errorf("%s is not reached at %s: %w", h.name, h.addr, cause(ctx, err))
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	c, channels, requests, err := ssh.NewClientConn(conn, h.addr, config)
	if err != nil {
		_ = conn.Close() // the handshake's error says more
		return nil, h.refused(cause(ctx, err))
	}
	return ssh.NewClient(c, channels, requests), nil
}

// refused says why a handshake came to nothing.
func (h host) refused(err error) error {
	text := err.Error()
	if inner, ok := strings.CutPrefix(text, "ssh: handshake failed: "); ok {
		text = inner
	}
	switch {
	case strings.Contains(text, "unable to authenticate"):
		return fmt.Errorf("%s (%s) does not let %s in with any of the keys and passwords that there are: name another key with --ssh-key, or another user as USER@%s", h.name, h.addr, h.user, h.name)
	case strings.HasPrefix(text, "the host key of "):
		return errors.New(text)
	}
	return fmt.Errorf("log in to %s (%s): %s", h.name, h.addr, text)
}

// cause prefers why ctx ended to what that led to.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
