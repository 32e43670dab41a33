package external

import (
	"context"
	"errors"
	"fmt"

	"github.com/fallacy-dev/fallacy"
)

// Ready returns nil once n serves clients, and a client of it has started: it is
// kept for who opens n next.
func (t *target) Ready(ctx context.Context, n fallacy.Node) error {
	if err := t.ask(ctx, t.File.Ready, n); err != nil {
		return err
	}
	c, err := t.open(ctx, n)
	if err != nil {
		return err
	}
	t.spare(n, c)
	return nil
}

// Open returns a client of n that is ready. One that is not in time goes on
// starting, for who asks next: programs take long to start on a busy machine.
func (t *target) Open(ctx context.Context, n fallacy.Node) (fallacy.Conn, error) {
	c, err := t.open(ctx, n)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (t *target) open(ctx context.Context, n fallacy.Node) (*conn, error) {
	c := t.take(n)
	if c == nil {
		var err error
		if c, err = t.start(n); err != nil {
			return nil, err
		}
	}
	err := c.greeted(ctx)
	switch {
	case err == nil:
		return c, nil
	case ctx.Err() != nil:
		t.spare(n, c)
		return nil, errors.Join(fmt.Errorf("the client is still starting: %w", err), t.failure(nil))
	}
	c.kill()
	return nil, errors.Join(t.failure(err), c.Close())
}

// failure remembers why a client did not start, and returns why the last one did not.
func (t *target) failure(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failed = err
	}
	return t.failed
}

// start starts a client of n.
func (t *target) start(n fallacy.Node) (*conn, error) {
	v := t.view(n)
	argv, err := expandAll(t.Client.Argv, v)
	if err != nil {
		return nil, err
	}
	env, err := expandEnv(t.Client.Env, v)
	if err != nil {
		return nil, err
	}
	cmd, err := t.command(context.Background(), argv, n)
	if err != nil {
		return nil, err
	}
	cmd.Env = append(cmd.Env, env...)
	return start(cmd)
}

// take returns a client of n that nobody uses; nil: there is none.
func (t *target) take(n fallacy.Node) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	spare := t.spares[n.Name]
	if len(spare) == 0 {
		return nil
	}
	t.spares[n.Name] = spare[1:]
	return spare[0]
}

// spare keeps a client of n that nobody uses.
func (t *target) spare(n fallacy.Node, c *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spares[n.Name] = append(t.spares[n.Name], c)
}

// Close ends the clients that nobody uses.
func (t *target) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, all := range t.spares {
		for _, c := range all {
			c.kill()
			_ = c.Close() // it has done nothing
		}
	}
	clear(t.spares)
	return nil
}
