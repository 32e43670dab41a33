package workloads

import (
	"context"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
)

// CounterConn is a connection to one counter.
type CounterConn interface {
	fallacy.Conn

	// Increment adds delta to the counter.
	Increment(ctx context.Context, delta int) error

	// Count returns the counter.
	Count(ctx context.Context) (int, error)
}

const counterDoc = `a counter that is incremented by one

Workers increment a counter and read it; at the end every worker reads it. A read
must lie between what was acknowledged before it began and what had been asked
for when it ended, and the reads must fit into one order with the increments.

An increment that is applied twice, by a retry that nobody recognised, shows here.`

// Counter is the workload of a counter.
func Counter() *fallacy.Workload {
	reads := generator.Op("read", fallacy.Nil())
	adds := generator.Op("add", fallacy.Int(1))
	return &fallacy.Workload{
		Name:      "counter",
		Doc:       counterDoc,
		Client:    counterClient,
		Generator: generator.Weighted(generator.Weigh(3, generator.Repeat(adds)), generator.Weigh(1, generator.Repeat(reads))),
		Final:     generator.EachWorker(generator.UntilOK(reads)),
		Checkers:  []*fallacy.Checker{checkers.Counter()},
	}
}

func counterClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[CounterConn](conn, "Increment and Count")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"add": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			delta, ok := v.Int()
			if !ok {
				return fallacy.Nil(), malformed("add", v)
			}
			return v, c.Increment(ctx, delta)
		},
		"read": func(ctx context.Context, _ fallacy.Value) (fallacy.Value, error) {
			count, err := c.Count(ctx)
			return fallacy.Int(count), err
		},
	}}, nil
}
