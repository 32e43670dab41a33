package workloads

import (
	"context"
	"strconv"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
)

// LockConn is a connection to one lock with a lease and fencing tokens, and to a
// resource that it guards.
type LockConn interface {
	fallacy.Conn

	// Acquire takes the lock for owner, for as long as the lease lasts, and returns
	// the fencing token. The error wraps fallacy.ErrFailed if somebody holds it.
	Acquire(ctx context.Context, owner string) (token int, err error)

	// Release gives the lock back. The error wraps fallacy.ErrFailed if owner does
	// not hold it with token any more.
	Release(ctx context.Context, owner string, token int) error

	// Guard writes value to the guarded resource under token. The error wraps
	// fallacy.ErrFailed if a higher token has been granted.
	Guard(ctx context.Context, token, value int) error
}

const lockDoc = `a lock with a lease, and what its fencing tokens protect

Each worker acquires the lock, writes to a guarded resource a few times with the
token that it got, and releases the lock. At times it dawdles until its lease is
over, as a process does that was paused, and writes all the same.

A lease that ends keeps nobody out, so that two may believe they hold the lock is
no anomaly. What must hold: tokens grow, and a write with an old token is refused
once a newer one is known.`

// Lock is the workload of a lock with fencing tokens.
func Lock() *fallacy.Workload {
	return &fallacy.Workload{
		Name:      "lock",
		Doc:       lockDoc,
		Client:    lockClient,
		Generator: generator.EachWorker(holder{}),
		Checkers:  []*fallacy.Checker{checkers.Lock()},
	}
}

// Times of a holder.
const (
	knockEvery = 60 * time.Millisecond  // between attempts to acquire, on average
	dawdle     = 800 * time.Millisecond // longer than a lease
)

// holder is what one worker does with the lock, over and over.
type holder struct {
	n      int           // ops so far
	after  time.Duration // when the next may come
	holds  fallacy.Value // [owner, token]; nil: it has to acquire
	writes int           // that it still means to do under the token
	busy   bool
}

// Next acquires, guards or releases.
func (g holder) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if g.busy || len(now.Free) == 0 {
		return nil, g
	}
	worker := now.Free[0] % now.Concurrency
	op := &fallacy.Op{Time: max(now.Time, g.after), Process: now.Free[0]}
	_, token, holds := g.holds.Tuple()
	switch {
	case !holds:
		op.F, op.Value = "acquire", fallacy.String("w"+strconv.Itoa(worker))
	case g.writes > 0:
		op.F, op.Value = "guard", fallacy.List(token, fallacy.Int(g.n*now.Concurrency+worker))
		g.writes--
	default:
		op.F, op.Value = "release", g.holds
		g.holds = fallacy.Nil()
	}
	g.n++
	g.busy = true
	return op, g
}

// Update learns whether the worker holds the lock, and how long it dawdles.
func (g holder) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.Type == fallacy.Invoke {
		return g
	}
	g.busy = false
	at := now.Chance.At("holder").Nth(g.n)
	g.after = now.Time + time.Duration(2*at.At("pause").Float64()*float64(knockEvery))
	if event.F == "acquire" && event.Type == fallacy.OK {
		g.holds, g.writes = event.Value, 1+at.At("writes").IntN(3)
		if at.At("dawdle").IntN(4) == 0 {
			g.after = now.Time + dawdle
		}
	}
	if event.Type == fallacy.Info && event.F == "acquire" {
		g.holds = fallacy.Nil()
	}
	return g
}

func lockClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[LockConn](conn, "Acquire, Release and Guard")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"acquire": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			owner, ok := v.Str()
			if !ok {
				return fallacy.Nil(), malformed("acquire", v)
			}
			token, err := c.Acquire(ctx, owner)
			if err != nil {
				return fallacy.Nil(), err
			}
			return fallacy.Tuple(v, fallacy.Int(token)), nil
		},
		"release": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			owner, token, _ := v.Tuple()
			name, named := owner.Str()
			n, ok := token.Int()
			if !named || !ok {
				return fallacy.Nil(), malformed("release", v)
			}
			return v, c.Release(ctx, name, n)
		},
		"guard": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			args, ok := v.Ints()
			if !ok || len(args) != 2 {
				return fallacy.Nil(), malformed("guard", v)
			}
			return v, c.Guard(ctx, args[0], args[1])
		},
	}}, nil
}
