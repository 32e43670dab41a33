package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/redis/go-redis/v9"
)

// written marks an integer that a transaction wrote, which is kept as a list of
// one: then one command reads both kinds.
const written = "="

// Txn does ops in one MULTI … EXEC, sent in one piece.
func (c *Conn) Txn(ctx context.Context, ops []fallacy.MicroOp) (done []fallacy.MicroOp, err error) {
	writes := false
	for _, op := range ops {
		_, isInt := op.Value.Int()
		if op.F != "r" && (op.F != "append" && op.F != "w" || !isInt) {
			return nil, fmt.Errorf("%w: %s of %v is no micro-op", fallacy.ErrFailed, op.F, op.Value)
		}
		writes = writes || op.F != "r"
	}
	answers := make([]*redis.Cmd, len(ops))
	var role *redis.Cmd
	err = c.request(ctx, keyOf(ops[0]), !writes, func(r *redis.Client) error {
		_, err := r.TxPipelined(ctx, func(p redis.Pipeliner) error {
			if c.t.name == sentinel {
				role = p.Do(ctx, "ROLE")
			}
			for i, op := range ops {
				answers[i] = queued(ctx, p, op)
			}
			return nil
		})
		if err != nil || role == nil || writes { // a replica refuses writes by itself
			return err
		}
		list, err := role.Slice()
		if err != nil {
			return err
		}
		if is, err := roleIn(list); err != nil || is != "master" {
			return errReplica
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	done = slices.Clone(ops)
	for i, op := range ops {
		if op.F != "r" {
			continue
		}
		if done[i].Value, err = seen(answers[i]); err != nil {
			return nil, err
		}
	}
	return done, nil
}

// keyOf puts all keys of transactions into one slot of a Cluster, as Redis has no
// transactions across slots.
func keyOf(op fallacy.MicroOp) string {
	name, ok := op.Key.Str()
	if !ok {
		name = op.Key.String()
	}
	return "{txn}" + name
}

func queued(ctx context.Context, p redis.Pipeliner, op fallacy.MicroOp) *redis.Cmd {
	key := keyOf(op)
	n, _ := op.Value.Int()
	switch op.F {
	case "append":
		return p.Do(ctx, "RPUSH", key, decimal(n))
	case "w":
		p.Do(ctx, "DEL", key)
		return p.Do(ctx, "RPUSH", key, written+decimal(n))
	}
	return p.Do(ctx, "LRANGE", key, 0, -1)
}

// seen is what a read saw: nothing, a list, or an integer.
func seen(cmd *redis.Cmd) (fallacy.Value, error) {
	answer, err := cmd.Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fallacy.Nil(), err
	}
	list, _ := answer.([]any)
	if len(list) == 0 {
		return fallacy.Nil(), nil
	}
	if text, ok := list[0].(string); ok && len(list) == 1 && strings.HasPrefix(text, written) {
		n, err := integer(text[len(written):])
		return fallacy.Int(n), err
	}
	all, err := integers(answer)
	return fallacy.Ints(all...), err
}
