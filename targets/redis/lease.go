package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// leased is what the names of keys that expire begin with: one slot of a Cluster.
const leased = "{leased}"

// A key that expires holds its time, in milliseconds, so that it can be given anew.
const (
	again = `local ms = redis.call('GET', KEYS[1])
if not ms then return 0 end
redis.call('PEXPIRE', KEYS[1], ms)
return tonumber(ms)`

	// listed names the key that it is about, or a node of a Cluster would answer of
	// its own keys whether they are those or not.
	listed = `return redis.call('KEYS', KEYS[1] .. '*')`
)

func leaseKey(lease int) string { return leased + decimal(lease) }

// Grant makes a key that expires.
func (c *Conn) Grant(ctx context.Context, lease int, ttl time.Duration) (granted time.Duration, err error) {
	key, ms := leaseKey(lease), strconv.FormatInt(ttl.Milliseconds(), 10)
	return ttl, c.request(ctx, key, false, func(r *redis.Client) error { return r.Do(ctx, "SET", key, ms, "PX", ms).Err() })
}

// KeepAlive gives a key its time anew if it is there, by a script.
func (c *Conn) KeepAlive(ctx context.Context, lease int) (granted time.Duration, err error) {
	key, ms := leaseKey(lease), int64(0)
	err = c.request(ctx, key, false, func(r *redis.Client) (err error) {
		ms, err = r.Do(ctx, "EVAL", again, 1, key).Int64()
		return err
	})
	return time.Duration(ms) * time.Millisecond, err
}

// Revoke deletes a key.
func (c *Conn) Revoke(ctx context.Context, lease int) error {
	key := leaseKey(lease)
	return c.request(ctx, key, false, func(r *redis.Client) error { return r.Do(ctx, "DEL", key).Err() })
}

// Leased returns the leases whose keys are there.
func (c *Conn) Leased(ctx context.Context) ([]int, error) {
	answer, err := c.read(ctx, leased, "EVAL", listed, 1, leased)
	if err != nil {
		return nil, err
	}
	names, ok := answer.([]any)
	if !ok {
		return nil, fmt.Errorf("the keys are %v, want a list", answer)
	}
	found := make([]int, len(names))
	for i, one := range names {
		name, _ := one.(string)
		if found[i], err = strconv.Atoi(strings.TrimPrefix(name, leased)); err != nil {
			return nil, fmt.Errorf("there is a key %q that expires", name)
		}
	}
	return found, nil
}
