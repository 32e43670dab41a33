package workloads

import (
	"context"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
)

// SetConn is a connection to one set of integers.
type SetConn interface {
	fallacy.Conn

	// Add puts element into the set.
	Add(ctx context.Context, element int) error

	// Elements returns all that is in the set.
	Elements(ctx context.Context) ([]int, error)
}

const setDoc = `a set that only grows, read as a whole

Workers add integers, each once, and now and then read the whole set; at the end
every worker reads it. What was acknowledged must be there ever after; what
failed must not appear; of two reads one contains the other.

A lost acknowledged write shows here whoever reads it, and however late.`

// Set is the workload of a set that only grows.
func Set() *fallacy.Workload {
	reads := generator.Op("read", fallacy.Nil())
	adds := generator.From(func(_ fallacy.Chance, n int) (string, fallacy.Value) { return "add", fallacy.Int(n) })
	return &fallacy.Workload{
		Name:      "set",
		Doc:       setDoc,
		Client:    setClient,
		Generator: generator.Weighted(generator.Weigh(12, adds), generator.Weigh(1, generator.Repeat(reads))),
		Final:     generator.EachWorker(generator.UntilOK(reads)),
		Checkers:  []*fallacy.Checker{checkers.Set()},
	}
}

func setClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[SetConn](conn, "Add and Elements")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"add": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			element, ok := v.Int()
			if !ok {
				return fallacy.Nil(), malformed("add", v)
			}
			return v, c.Add(ctx, element)
		},
		"read": func(ctx context.Context, _ fallacy.Value) (fallacy.Value, error) {
			elements, err := c.Elements(ctx)
			return fallacy.Ints(elements...), err
		},
	}}, nil
}
