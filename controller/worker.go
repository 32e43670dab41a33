package controller

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// completions is what workers bring back, until the scheduler takes it.
type completions struct {
	mu     sync.Mutex
	ops    []completion
	signal chan struct{} // holds a token while ops may be waiting
}

// completion is an op that came back, and the life of the worker that brought it.
type completion struct {
	op   fallacy.Op
	life int
}

func newCompletions() *completions { return &completions{signal: make(chan struct{}, 1)} }

func (c *completions) put(done completion) {
	c.mu.Lock()
	c.ops = append(c.ops, done)
	c.mu.Unlock()
	select {
	case c.signal <- struct{}{}:
	default:
	}
}

// take returns what came back, in the order in which it did. into is reused.
func (c *completions) take(into []completion) []completion {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.ops
	c.ops = into[:0]
	return taken
}

// worker performs the ops of one process at a time. A worker whose client does
// not come back is given up, and another life takes its place.
type worker struct {
	node    fallacy.Node
	open    func(ctx context.Context, n fallacy.Node) (fallacy.Client, error)
	timeout time.Duration
	done    *completions
	life    int
	in      chan fallacy.Op
}

// run performs ops until in is closed.
func (w *worker) run(ctx context.Context) {
	var client fallacy.Client
	defer func() { closeClient(client) }()
	for op := range w.in {
		op.Node = w.node.Name
		client = w.perform(ctx, client, &op)
		w.done.put(completion{op, w.life})
	}
}

// perform makes op its own completion and returns the client for the next op;
// nil after Info, for then the process is another.
func (w *worker) perform(ctx context.Context, client fallacy.Client, op *fallacy.Op) fallacy.Client {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	if client == nil {
		var err error
		if client, err = w.open(ctx, w.node); err != nil {
			op.Type, op.Error = fallacy.Fail, fmt.Sprintf("no client: %v", err)
			return nil
		}
	}
	value, err := invoke(ctx, client, *op)
	finish(op, value, err)
	if op.Type == fallacy.Info {
		closeClient(client)
		return nil
	}
	return client
}

// finish makes op the completion that a client's answer comes to.
func finish(op *fallacy.Op, value fallacy.Value, err error) {
	switch {
	case err == nil:
		op.Type, op.Value = fallacy.OK, value
		return
	case errors.Is(err, fallacy.ErrFailed):
		op.Type = fallacy.Fail
		if !value.IsNil() {
			op.Value = value
		}
	default:
		op.Type = fallacy.Info
	}
	op.Error = err.Error()
}

// invoke calls the client; a panic of it is an error that proves nothing.
func invoke(ctx context.Context, client fallacy.Client, op fallacy.Op) (value fallacy.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			value, err = fallacy.Nil(), fmt.Errorf("the client panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return client.Invoke(ctx, op)
}

func closeClient(c fallacy.Client) {
	if c == nil {
		return
	}
	defer func() { _ = recover() }() // the outcome is known by now; a client that panics on Close changes nothing
	_ = c.Close()
}
