package workloads

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
)

// client applies ops by functions of their F.
type client struct {
	fallacy.Conn
	invoke map[string]func(ctx context.Context, value fallacy.Value) (fallacy.Value, error)
}

// Invoke performs op; a function that the workload does not know has certainly not happened.
func (c client) Invoke(ctx context.Context, op fallacy.Op) (fallacy.Value, error) {
	f, ok := c.invoke[op.F]
	if !ok {
		return fallacy.Nil(), fmt.Errorf("%w: there is no function %q", fallacy.ErrFailed, op.F)
	}
	return f(ctx, op.Value)
}

// need returns conn as the interface C that a workload needs, or an error that
// says which methods conn would need.
func need[C fallacy.Conn](conn fallacy.Conn, methods string) (C, error) {
	c, ok := conn.(C)
	if !ok {
		return c, fmt.Errorf("a %T has no %s", conn, methods)
	}
	return c, nil
}

// keyAndInt reads the key's name and the integer of [key, n].
func keyAndInt(v fallacy.Value) (name string, n int, ok bool) {
	key, arg, _ := v.Tuple()
	name, named := key.Str()
	n, isInt := arg.Int()
	return name, n, named && isInt
}

// malformed is the error of an op whose value the client cannot read; it was
// not sent anywhere.
func malformed(f string, v fallacy.Value) error {
	return fmt.Errorf("%w: %s of %v is malformed", fallacy.ErrFailed, f, v)
}
