package workloads_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// conn is one process's connection to a store: what it believes to hold, and where
// its watch is.
type conn struct {
	*store
	holds bool
	at    int
}

func (c *conn) Lock(_ context.Context, owner string) error {
	if c.keeper != "" && !c.slips() {
		return fmt.Errorf("somebody has it: %w", fallacy.ErrFailed)
	}
	c.keeper, c.holds = owner, true
	return nil
}

func (c *conn) Holds(string) bool { return c.holds }

func (c *conn) Unlock(_ context.Context, owner string) (lapsed bool, err error) {
	if lapsed = !c.holds; lapsed {
		return true, nil
	}
	c.holds = false
	if c.keeper != owner {
		return false, fmt.Errorf("somebody else has it: %w", fallacy.ErrFailed)
	}
	c.keeper = ""
	return false, nil
}

func (c *conn) Set(_ context.Context, key string, value int) (revision int, err error) {
	c.changes = append(c.changes, fallacy.Tuple(fallacy.String(key), fallacy.Int(value)))
	return len(c.changes), nil
}

func (c *conn) Watch(ctx context.Context, from int) (fallacy.Value, error) {
	c.at = from - 1
	return c.Watched(ctx)
}

func (c *conn) Watched(context.Context) (fallacy.Value, error) {
	if c.at >= len(c.changes) {
		return fallacy.List(fallacy.List(fallacy.Int(len(c.changes)), fallacy.Nil(), fallacy.Nil())), nil
	}
	var events []fallacy.Value
	for ; c.at < len(c.changes) && len(events) < 3; c.at++ {
		if key, value, _ := c.changes[c.at].Tuple(); !c.slips() {
			events = append(events, fallacy.List(fallacy.Int(c.at+1), key, value))
		}
	}
	return fallacy.List(events...), nil
}

// leased is a lease's time, and when it is over.
type leased struct{ ttl, over time.Duration }

func (c *conn) Grant(_ context.Context, lease int, ttl time.Duration) (time.Duration, error) {
	c.leases[lease] = leased{ttl, c.now + ttl}
	return ttl, nil
}

func (c *conn) KeepAlive(_ context.Context, lease int) (time.Duration, error) {
	l := c.leases[lease]
	if l.over <= c.now {
		return 0, nil
	}
	if !c.slips() {
		c.leases[lease] = leased{l.ttl, c.now + l.ttl}
	}
	return l.ttl, nil
}

func (c *conn) Revoke(_ context.Context, lease int) error {
	if !c.slips() {
		delete(c.leases, lease)
	}
	return nil
}

func (c *conn) Leased(context.Context) ([]int, error) {
	maps.DeleteFunc(c.leases, func(_ int, l leased) bool { return l.over <= c.now })
	return slices.Sorted(maps.Keys(c.leases)), nil
}
