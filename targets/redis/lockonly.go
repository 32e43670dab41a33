package redis

import "context"

// lockOnly is a connection to independent servers: a lock is all that they can be
// together.
type lockOnly struct{ c *Conn }

func (l lockOnly) Close() error                                 { return l.c.Close() }
func (l lockOnly) Lock(ctx context.Context, owner string) error { return l.c.Lock(ctx, owner) }
func (l lockOnly) Holds(owner string) bool                      { return l.c.Holds(owner) }
func (l lockOnly) Unlock(ctx context.Context, owner string) (bool, error) {
	return l.c.Unlock(ctx, owner)
}

func (l lockOnly) Acquire(ctx context.Context, owner string) (int, error) {
	return l.c.Acquire(ctx, owner)
}

func (l lockOnly) Release(ctx context.Context, owner string, token int) error {
	return l.c.Release(ctx, owner, token)
}

func (l lockOnly) Guard(ctx context.Context, token, value int) error {
	return l.c.Guard(ctx, token, value)
}
