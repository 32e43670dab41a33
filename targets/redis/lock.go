package redis

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/redis/go-redis/v9"
)

// Of the lock.
const (
	lockKey  = "lock"
	lockTTL  = 3 * time.Second        // for Lock: longer than its holders mean to hold it
	leaseTTL = 500 * time.Millisecond // for Acquire: some of its holders take longer than that
)

// validity is for how long a lock counts as held: Redlock takes a hundredth off for
// clocks that run apart, and two milliseconds for Redis's own resolution.
func validity(ttl time.Duration) time.Duration { return ttl - ttl/100 - 2*time.Millisecond }

// unlock deletes the lock if it holds our value.
const unlock = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

// lease is a lock that was granted.
type lease struct {
	value string    // random; empty: not held
	until time.Time // by our own monotonic clock
	token int
}

// Lock takes the lock, with SET NX PX of a random value, on the server, or on a
// majority of independent ones: Redlock.
func (c *Conn) Lock(ctx context.Context, _ string) error { return c.take(ctx, lockTTL) }

func (c *Conn) take(ctx context.Context, ttl time.Duration) error {
	began, value := time.Now(), crand.Text()
	granted, err := c.everywhere(ctx, func(ctx context.Context, r *redis.Client) error {
		_, err := r.Do(ctx, "SET", lockKey, value, "NX", "PX", ttl.Milliseconds()).Result()
		if errors.Is(err, redis.Nil) {
			return errTaken
		}
		return err
	})
	until := began.Add(validity(ttl))
	if granted >= c.quorum() && time.Now().Before(until) {
		c.lock = lease{value: value, until: until, token: int(c.t.grants.Add(1))}
		return nil
	}
	if c.t.name == independent {
		// As Redlock has it: what was taken is given back, and what is left ends by itself.
		_, _ = c.everywhere(ctx, func(ctx context.Context, r *redis.Client) error {
			return r.Do(ctx, "EVAL", unlock, 1, lockKey, value).Err()
		})
		return fmt.Errorf("%w: %d granted it in time, and %d have to: %v", fallacy.ErrFailed, granted, c.quorum(), err)
	}
	if err == nil {
		err = errors.New("it was granted too late") // and ends by itself
	}
	return err
}

var errTaken = fmt.Errorf("%w: somebody has it", fallacy.ErrFailed)

// Holds tells whether, by our own clock, the lock is held.
func (c *Conn) Holds(string) bool { return c.lock.value != "" && time.Now().Before(c.lock.until) }

// Unlock gives the lock back, unless it is over by our own clock.
func (c *Conn) Unlock(ctx context.Context, _ string) (lapsed bool, err error) {
	held, holds := c.lock, c.Holds("")
	c.lock = lease{}
	if !holds {
		return true, nil
	}
	_, err = c.everywhere(ctx, func(ctx context.Context, r *redis.Client) error {
		n, err := r.Do(ctx, "EVAL", unlock, 1, lockKey, held.value).Int()
		if err == nil && n == 0 {
			err = fmt.Errorf("%w: it was lost", fallacy.ErrFailed)
		}
		return err
	})
	return false, err
}

// Acquire takes the lock and returns a token. Redis has none: it is the number of
// locks that clients of this run were granted, counted when each learned of it, so
// that it grows as a fencing token should.
func (c *Conn) Acquire(ctx context.Context, _ string) (token int, err error) {
	if err := c.take(ctx, leaseTTL); err != nil {
		return 0, err
	}
	return c.lock.token, nil
}

// Release gives the lock back. The error wraps fallacy.ErrFailed if it was lost.
func (c *Conn) Release(ctx context.Context, owner string, _ int) error {
	lapsed, err := c.Unlock(ctx, owner)
	if lapsed {
		return fmt.Errorf("%w: it is over", fallacy.ErrFailed)
	}
	return err
}

// Guard writes to what the lock guards, which is elsewhere and knows of no tokens,
// as with a lock that has none. The holder does not look at its clock: it did
// before, and was paused since.
func (c *Conn) Guard(_ context.Context, token, _ int) error {
	if c.lock.token != token {
		return fmt.Errorf("%w: the lock is not held", fallacy.ErrFailed)
	}
	return nil
}

// quorum is how many servers have to grant the lock.
func (c *Conn) quorum() int {
	if c.t.name != independent {
		return 1
	}
	return len(c.members())/2 + 1
}

func (c *Conn) members() []fallacy.Node {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.t.cluster
}

// redlockPatience is for one server among several: small against the lease.
const redlockPatience = 100 * time.Millisecond

// everywhere does one request on the server, or on all independent ones at once,
// and returns how many did it, and what the others said.
func (c *Conn) everywhere(ctx context.Context, do func(context.Context, *redis.Client) error) (did int, err error) {
	if c.t.name != independent {
		err := c.request(ctx, lockKey, false, func(r *redis.Client) error { return do(ctx, r) })
		if err != nil {
			return 0, err
		}
		return 1, nil
	}
	ctx, cancel := context.WithTimeout(ctx, redlockPatience)
	defer cancel()
	members := c.members()
	errs := make([]error, len(members))
	wires := make([]*wire, len(members))
	for i, n := range members {
		wires[i] = c.wire(n)
	}
	var all sync.WaitGroup
	for i, w := range wires {
		all.Go(func() {
			errs[i] = w.request(false, func(r *redis.Client) error { return do(ctx, r) })
		})
	}
	all.Wait()
	for _, err := range errs {
		if err == nil {
			did++
		}
	}
	return did, errors.Join(errs...)
}
