package redis

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// Keys of what there is one of.
const (
	elements = "set"
	counter  = "counter"
	queue    = "queue"
)

// Add puts element into the set.
func (c *Conn) Add(ctx context.Context, element int) error {
	return c.request(ctx, elements, false, func(r *redis.Client) error { return r.Do(ctx, "SADD", elements, decimal(element)).Err() })
}

// Elements returns the set.
func (c *Conn) Elements(ctx context.Context) ([]int, error) {
	answer, err := c.read(ctx, elements, "SMEMBERS", elements)
	if err != nil {
		return nil, err
	}
	return integers(answer)
}

// Increment adds delta to the counter.
func (c *Conn) Increment(ctx context.Context, delta int) error {
	return c.request(ctx, counter, false, func(r *redis.Client) error { return r.Do(ctx, "INCRBY", counter, decimal(delta)).Err() })
}

// Count returns the counter.
func (c *Conn) Count(ctx context.Context) (int, error) {
	answer, err := c.read(ctx, counter, "GET", counter)
	if err != nil || answer == nil {
		return 0, err
	}
	return integer(answer)
}

// Enqueue puts element at the end of a list.
func (c *Conn) Enqueue(ctx context.Context, element int) error {
	return c.request(ctx, queue, false, func(r *redis.Client) error { return r.Do(ctx, "RPUSH", queue, decimal(element)).Err() })
}

// Dequeue takes the first element of the list; ok is false when it was empty.
func (c *Conn) Dequeue(ctx context.Context) (element int, ok bool, err error) {
	var answer any
	err = c.request(ctx, queue, false, func(r *redis.Client) (err error) {
		answer, err = r.Do(ctx, "LPOP", queue).Result()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	element, err = integer(answer)
	return element, err == nil, err
}
