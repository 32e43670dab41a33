package workloads

import (
	"context"
	"strconv"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
)

// WatchConn is a connection to a store with revisions, whose changes can be watched.
type WatchConn interface {
	fallacy.Conn

	// Set makes value the value of key, and returns since which revision it is.
	Set(ctx context.Context, key string, value int) (revision int, err error)

	// Watch begins a watch of all keys with the changes of revision from, in place of
	// the one that there is, and returns what it delivers first, as Watched does.
	Watch(ctx context.Context, from int) (events fallacy.Value, err error)

	// Watched goes on with the watch, from the beginning if there is none, and
	// returns what it delivers next, in one piece: a list of events [revision, key,
	// value], or a bookmark [revision, nil, nil], which says that all up to its
	// revision was delivered. It asks for a bookmark when there is nothing for a
	// while. An empty list is an answer. [revision, nil, checkers.Compacted] says that
	// what comes next in the watch was discarded, all before revision, and that the
	// watch goes on there. After an error the watch is over.
	Watched(ctx context.Context) (events fallacy.Value, err error)
}

const watchDoc = `watches deliver every change, once, in order, from where they began

Each worker changes a few keys, and watches all of them. A watch that broke off is
begun again behind the last revision that it had delivered: nothing may be missing,
nothing come twice, but for what the store says that it has discarded. At the end all watches go on until a bookmark tells that they
have delivered everything.

The guarantees have names: ordered, unique, atomic, reliable, resumable, bookmarkable
(https://etcd.io/docs/v3.6/learning/api_guarantees/).`

// Watch is the workload of watches.
func Watch() *fallacy.Workload {
	return &fallacy.Workload{
		Name:      "watch",
		Doc:       watchDoc,
		Client:    watchClient,
		Generator: generator.EachWorker(watcher{from: 1}),
		Final:     generator.EachWorker(watcher{last: true}),
		Checkers:  []*fallacy.Checker{checkers.Watch()},
	}
}

// Shape of the watch workload.
const (
	watchedKeys = 5
	catchUpMax  = 200 // watch ops of a worker at the end
)

// watcher is what one worker changes and watches.
type watcher struct {
	n    int  // ops so far
	from int  // where to begin the next watch; 0: there is one
	seen int  // the last revision that was delivered
	last bool // it only watches, until a bookmark
	busy bool
	done bool
}

// Next writes in one case of three, and else watches.
func (g watcher) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if g.done || g.last && g.n >= catchUpMax {
		return nil, nil
	}
	if g.busy || len(now.Free) == 0 {
		return nil, g
	}
	op := &fallacy.Op{Time: now.Time, Process: now.Free[0], F: "watch"}
	at := now.Chance.At("watcher").Nth(g.n)
	switch {
	case !g.last && at.At("f").IntN(3) == 0:
		key := "w" + strconv.Itoa(at.At("key").IntN(watchedKeys))
		op.F, op.Value = "write", fallacy.Tuple(fallacy.String(key), fallacy.Int(g.n*now.Concurrency+now.Free[0]%now.Concurrency))
	case g.from > 0:
		op.Value = fallacy.Int(g.from)
		g.from = 0
	}
	g.n, g.busy = g.n+1, true
	return op, g
}

// Update learns what the watch has delivered, and that it has to be begun again.
func (g watcher) Update(_ fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.Type == fallacy.Invoke {
		return g
	}
	g.busy = false
	if event.F == "watch" && event.Type == fallacy.OK {
		events, _ := event.Value.List()
		for _, e := range events {
			parts, _ := e.List()
			revision, _ := parts[0].Int()
			if parts[2].Equal(fallacy.String(checkers.Compacted)) {
				revision-- // it is the next
			} else {
				g.done = g.done || g.last && parts[1].IsNil()
			}
			g.seen = max(g.seen, revision)
		}
	}
	// After info another process takes over, with a client of its own.
	if event.Type == fallacy.Info || event.F == "watch" && event.Type == fallacy.Fail {
		g.from = g.seen + 1
	}
	return g
}

func watchClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[WatchConn](conn, "Set, Watch and Watched")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"write": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			name, value, ok := keyAndInt(v)
			if !ok {
				return fallacy.Nil(), malformed("write", v)
			}
			revision, err := c.Set(ctx, name, value)
			return fallacy.Tuple(fallacy.String(name), fallacy.Ints(revision, value)), err
		},
		"watch": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			if from, ok := v.Int(); ok {
				return c.Watch(ctx, from)
			}
			return c.Watched(ctx)
		},
	}}, nil
}
