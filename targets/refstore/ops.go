package refstore

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
)

// Read returns the integer that key holds; found is false if there is none.
func (c *Conn) Read(ctx context.Context, key string) (value int, found bool, err error) {
	r, err := c.call(ctx, Request{Op: OpRead, Key: key})
	value, found = r.Value.Int()
	return value, found && err == nil, err
}

// Write makes key hold value.
func (c *Conn) Write(ctx context.Context, key string, value int) error {
	_, err := c.call(ctx, Request{Op: OpWrite, Key: key, Value: value})
	return err
}

// CompareAndSet makes key hold to if it holds from. If not, the error wraps fallacy.ErrFailed and seen
// is what it holds: an integer, or nil for nothing.
func (c *Conn) CompareAndSet(ctx context.Context, key string, from, to int) (seen fallacy.Value, err error) {
	r, err := c.call(ctx, Request{Op: OpCAS, Key: key, From: from, Value: to})
	return value(r.Value), err
}

// Txn does ops, all or none. It returns them with what the reads saw: nil, an integer, or the list of
// the elements appended.
func (c *Conn) Txn(ctx context.Context, ops []fallacy.MicroOp) ([]fallacy.MicroOp, error) {
	q := Request{Op: OpTxn, Ops: make([]MicroOp, len(ops))}
	for i, op := range ops {
		m := MicroOp{F: op.F, Key: keyOf(op.Key)}
		if n, ok := op.Value.Int(); ok {
			m.Value = Int(n)
		} else if op.F != "r" {
			return nil, fmt.Errorf("%w: %s of %v: not an integer", fallacy.ErrFailed, op.F, op.Value)
		}
		q.Ops[i] = m
	}
	r, err := c.call(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(r.Ops) != len(ops) {
		return nil, fmt.Errorf("%d results for %d micro-ops", len(r.Ops), len(ops))
	}
	done := make([]fallacy.MicroOp, len(ops))
	for i, op := range ops {
		done[i] = op
		if op.F == "r" {
			done[i].Value = value(r.Ops[i].Value)
		}
	}
	return done, nil
}

// keyOf is the store's name for a key: its string, or the digits of its integer.
func keyOf(key fallacy.Value) string {
	if text, ok := key.Str(); ok {
		return text
	}
	return key.String()
}

func value(d Datum) fallacy.Value {
	if n, ok := d.Int(); ok {
		return fallacy.Int(n)
	}
	if elements, ok := d.List(); ok {
		return fallacy.Ints(elements...)
	}
	return fallacy.Nil()
}

// Add puts element into the set.
func (c *Conn) Add(ctx context.Context, element int) error {
	_, err := c.call(ctx, Request{Op: OpAdd, Value: element})
	return err
}

// Elements returns the set, in the order in which the elements came.
func (c *Conn) Elements(ctx context.Context) ([]int, error) {
	r, err := c.call(ctx, Request{Op: OpElements})
	return r.Ints, err
}

// Increment adds delta to the counter.
func (c *Conn) Increment(ctx context.Context, delta int) error {
	_, err := c.call(ctx, Request{Op: OpIncrement, Value: delta})
	return err
}

// Count returns the counter.
func (c *Conn) Count(ctx context.Context) (int, error) {
	r, err := c.call(ctx, Request{Op: OpCount})
	n, _ := r.Value.Int()
	return n, err
}

// Enqueue puts element at the queue's end.
func (c *Conn) Enqueue(ctx context.Context, element int) error {
	_, err := c.call(ctx, Request{Op: OpEnqueue, Value: element})
	return err
}

// Dequeue takes the element at the queue's head; ok is false if the queue is empty.
func (c *Conn) Dequeue(ctx context.Context) (element int, ok bool, err error) {
	r, err := c.call(ctx, Request{Op: OpDequeue})
	element, ok = r.Value.Int()
	return element, ok && err == nil, err
}

// Acquire takes the lock for owner, for half a second at most, and returns its fencing token, which is
// higher than all before it. The error wraps fallacy.ErrFailed if somebody holds the lock.
func (c *Conn) Acquire(ctx context.Context, owner string) (token int, err error) {
	r, err := c.call(ctx, Request{Op: OpAcquire, Owner: owner, TTL: int(lockTTL.Milliseconds())})
	return r.Token, err
}

// Release gives the lock back. The error wraps fallacy.ErrFailed if it is not held with token any more.
func (c *Conn) Release(ctx context.Context, owner string, token int) error {
	_, err := c.call(ctx, Request{Op: OpRelease, Owner: owner, Token: token})
	return err
}

// Guard writes value to what the lock guards. The error wraps fallacy.ErrFailed if a higher token than
// this one has been granted.
func (c *Conn) Guard(ctx context.Context, token, value int) error {
	_, err := c.call(ctx, Request{Op: OpGuard, Token: token, Value: value})
	return err
}
