package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/fallacy-dev/fallacy"
	"github.com/redis/go-redis/v9"
)

// swap is a compare-and-set in one step: scripts run alone. It returns nothing if
// it wrote, else a list of what was there.
const swap = `local v = redis.call('GET', KEYS[1])
if v == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) return false end
return {v}`

// errReplica is of a read that a replica answered: it may be stale, and is no answer.
var errReplica = fmt.Errorf("%w: READONLY the node is no primary", fallacy.ErrFailed)

// read does a read-only command, together with a question for the role where a
// replica would answer as well: in one transaction, so that the answer is of
// somebody who took itself for the primary when it answered.
func (c *Conn) read(ctx context.Context, key string, args ...any) (answer any, err error) {
	err = c.request(ctx, key, true, func(r *redis.Client) error {
		if c.t.name != sentinel {
			answer, err = r.Do(ctx, args...).Result()
			return err
		}
		var role, value *redis.Cmd
		_, err := r.TxPipelined(ctx, func(p redis.Pipeliner) error {
			role, value = p.Do(ctx, "ROLE"), p.Do(ctx, args...)
			return nil
		})
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		list, err := role.Slice()
		if err != nil {
			return err
		}
		if is, err := roleIn(list); err != nil || is != "master" {
			return errReplica
		}
		answer, err = value.Result()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return answer, err
}

// Read returns the integer that key holds; found is false if there is none.
func (c *Conn) Read(ctx context.Context, key string) (value int, found bool, err error) {
	answer, err := c.read(ctx, key, "GET", key)
	if err != nil || answer == nil {
		return 0, false, err
	}
	value, err = integer(answer)
	return value, err == nil, err
}

// Write makes key hold value.
func (c *Conn) Write(ctx context.Context, key string, value int) error {
	return c.request(ctx, key, false, func(r *redis.Client) error { return r.Do(ctx, "SET", key, decimal(value)).Err() })
}

// CompareAndSet makes key hold to if it holds from, by a script. If it does not, the
// error wraps fallacy.ErrFailed and seen is what was there, nil for nothing.
func (c *Conn) CompareAndSet(ctx context.Context, key string, from, to int) (seen fallacy.Value, err error) {
	var found []any
	err = c.request(ctx, key, false, func(r *redis.Client) (err error) {
		found, err = r.Do(ctx, "EVAL", swap, 1, key, decimal(from), decimal(to)).Slice()
		return err
	})
	switch {
	case errors.Is(err, redis.Nil):
		return fallacy.Nil(), nil
	case err != nil:
		return fallacy.Nil(), err
	case len(found) == 0: // a script's list ends at the first nil
		return fallacy.Nil(), fmt.Errorf("%w: it holds nothing", fallacy.ErrFailed)
	}
	n, err := integer(found[0])
	if err != nil {
		return fallacy.Nil(), err
	}
	return fallacy.Int(n), fmt.Errorf("%w: it holds %d", fallacy.ErrFailed, n)
}

// integer reads what decimal wrote.
func integer(v any) (int, error) {
	switch v := v.(type) {
	case int64:
		return int(v), nil
	case string:
		if n, err := strconv.Atoi(v); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%v is no integer", v)
}

// integers reads a list of them.
func integers(v any) ([]int, error) {
	list, ok := v.([]any)
	if !ok && v != nil {
		return nil, fmt.Errorf("%v is no list", v)
	}
	found := make([]int, len(list))
	for i, one := range list {
		n, err := integer(one)
		if err != nil {
			return nil, err
		}
		found[i] = n
	}
	return found, nil
}
