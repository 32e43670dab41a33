package workloads

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
)

// QueueConn is a connection to one queue of integers, first in first out.
type QueueConn interface {
	fallacy.Conn

	// Enqueue puts element at the end.
	Enqueue(ctx context.Context, element int) error

	// Dequeue takes the first element; ok is false when the queue was empty.
	Dequeue(ctx context.Context) (element int, ok bool, err error)
}

const queueDoc = `a queue, first in, first out

Workers enqueue integers, each once, and dequeue somewhat less often; at the end
they dequeue until nothing is left. What goes in comes out, once, and in order
where real time tells the order.`

// errEmpty is the answer of an empty queue.
var errEmpty = fmt.Errorf("empty: %w", fallacy.ErrFailed)

// Queue is the workload of a FIFO queue.
func Queue() *fallacy.Workload {
	enqueues := generator.From(func(_ fallacy.Chance, n int) (string, fallacy.Value) { return "enqueue", fallacy.Int(n) })
	dequeues := generator.Repeat(generator.Op("dequeue", fallacy.Nil()))
	return &fallacy.Workload{
		Name:      "queue",
		Doc:       queueDoc,
		Client:    queueClient,
		Generator: generator.Weighted(generator.Weigh(10, enqueues), generator.Weigh(9, dequeues)),
		Final:     generator.EachWorker(drain{}),
		Checkers:  []*fallacy.Checker{checkers.Queue()},
	}
}

func queueClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[QueueConn](conn, "Enqueue and Dequeue")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"enqueue": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			element, ok := v.Int()
			if !ok {
				return fallacy.Nil(), malformed("enqueue", v)
			}
			return v, c.Enqueue(ctx, element)
		},
		"dequeue": func(ctx context.Context, _ fallacy.Value) (fallacy.Value, error) {
			element, ok, err := c.Dequeue(ctx)
			if err == nil && !ok {
				err = errEmpty
			}
			if err != nil {
				return fallacy.Nil(), err
			}
			return fallacy.Int(element), nil
		},
	}}, nil
}

// drain is a worker's dequeues until one finds nothing.
type drain struct{ empty bool }

// Next dequeues once more.
func (g drain) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if g.empty {
		return nil, nil
	}
	if len(now.Free) == 0 {
		return nil, g
	}
	return &fallacy.Op{Time: now.Time, Process: now.Free[0], F: "dequeue"}, g
}

// Update ends the drain when the queue was found empty.
func (g drain) Update(_ fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.Type == fallacy.Fail && event.Error == errEmpty.Error() {
		g.empty = true
	}
	return g
}
