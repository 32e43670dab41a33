package etcd

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

// Add puts element into the set: a key of its own.
func (c *Conn) Add(ctx context.Context, element int) error {
	key := strconv.AppendInt([]byte(elements), int64(element), 10)
	_, err := call(ctx, c.kv.Put, &etcdserverpb.PutRequest{Key: key}, false)
	return err
}

// Elements returns the set, by one linearizable read of all its keys.
func (c *Conn) Elements(ctx context.Context) ([]int, error) {
	all := []byte(elements)
	end := append(all[:len(all)-1:len(all)-1], all[len(all)-1]+1)
	answer, err := call(ctx, c.kv.Range, &etcdserverpb.RangeRequest{Key: all, RangeEnd: end, KeysOnly: true}, true)
	if err != nil {
		return nil, err
	}
	found := make([]int, len(answer.Kvs))
	for i, kv := range answer.Kvs {
		if found[i], err = strconv.Atoi(strings.TrimPrefix(string(kv.Key), elements)); err != nil {
			return nil, fmt.Errorf("the set has a key %q", kv.Key)
		}
	}
	return found, nil
}

// Increment adds delta to the counter: it reads it, and writes if nobody has
// written meanwhile. A race that it loses is a fail.
func (c *Conn) Increment(ctx context.Context, delta int) error {
	kv, err := c.get(ctx, counter)
	if err != nil {
		return err
	}
	value, mod := 0, int64(0)
	if kv != nil {
		if value, err = integer(kv); err != nil {
			return err
		}
		mod = kv.ModRevision
	}
	_, at, err := c.swap(ctx, mod, &etcdserverpb.PutRequest{Key: []byte(counter), Value: decimal(value + delta)})
	if err == nil && at == 0 {
		err = refused(nil, "it was written meanwhile")
	}
	return err
}

// Count returns the counter.
func (c *Conn) Count(ctx context.Context) (int, error) {
	kv, err := c.get(ctx, counter)
	if err != nil || kv == nil {
		return 0, err
	}
	return integer(kv)
}
