package workloads

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
)

// MutexConn is a connection to one lock that its users take to exclude others,
// without fencing tokens.
type MutexConn interface {
	fallacy.Conn

	// Lock takes the lock for owner, without waiting. The error wraps
	// fallacy.ErrFailed if somebody else has it.
	Lock(ctx context.Context, owner string) error

	// Holds tells whether the connection takes itself for the holder, by its own clock
	// and by what it was told, without asking anybody.
	Holds(owner string) bool

	// Unlock gives the lock back. Lapsed says that the connection knew when it was
	// called, by its own clock or by what it had been told, that it held the lock no
	// longer; nobody is asked then. An error that wraps fallacy.ErrFailed says that
	// the connection took itself for the holder until now, and was not.
	Unlock(ctx context.Context, owner string) (lapsed bool, err error)
}

const mutexDoc = `a lock, taken at its word: one holder at a time

Each worker takes the lock, uses it for at most 2.5 seconds, and gives it back. As a
careful user would, it keeps its lease alive if the lock has one that can be, and
looks before each use, of 0.4 seconds, whether by its own clock it still holds the
lock: a hold that ended by itself, and that the holder noticed, lasted until its last
use was over.

What is left is a holder who has every reason to believe that it holds the lock,
while another was granted it. Locks with leases cannot rule that out; those who
need it ruled out want fencing tokens, which is what the workload lock asks for.`

// Mutex is the workload of a lock that is to have one holder at a time.
func Mutex() *fallacy.Workload {
	return &fallacy.Workload{
		Name:      "mutex",
		Doc:       mutexDoc,
		Client:    mutexClient,
		Generator: generator.EachWorker(keeper{}),
		Checkers:  []*fallacy.Checker{checkers.Mutex()},
	}
}

// Times of a keeper.
const (
	keepMax  = 2500 * time.Millisecond // for which a lock is kept at most
	useEvery = 50 * time.Millisecond
	useFor   = 400 * time.Millisecond // for which a use lasts
)

// keeper is what one worker does with the lock, over and over.
type keeper struct {
	n     int           // ops so far
	after time.Duration // when the next may come
	until time.Duration // when it means to release
	holds bool
	busy  bool
}

// Next acquires, uses or releases.
func (g keeper) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if g.busy || len(now.Free) == 0 {
		return nil, g
	}
	op := &fallacy.Op{Time: max(now.Time, g.after), Process: now.Free[0], F: "acquire"}
	op.Value = fallacy.String("w" + strconv.Itoa(now.Free[0]%now.Concurrency))
	switch {
	case g.holds && g.after < g.until:
		op.F = "use"
	case g.holds:
		op.F, g.holds = "release", false
	}
	g.n, g.busy = g.n+1, true
	return op, g
}

// Update learns whether the worker holds the lock, and for how long it will.
func (g keeper) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.Type == fallacy.Invoke {
		return g
	}
	g.busy = false
	at := now.Chance.At("keeper").Nth(g.n)
	wait := knockEvery
	switch {
	case event.F == "acquire" && event.Type == fallacy.OK:
		g.holds, g.until = true, now.Time+time.Duration(at.At("keep").Float64()*float64(keepMax))
	case event.Type != fallacy.OK:
		g.holds = false
	}
	if g.holds {
		wait = useEvery
	}
	g.after = now.Time + time.Duration(2*at.At("pause").Float64()*float64(wait))
	return g
}

// errLapsed is of a holder who knows that it is none any more.
var errLapsed = fmt.Errorf("%s: %w", checkers.Lapsed, fallacy.ErrFailed)

// work is what a holder does without looking at the lock.
func work(ctx context.Context) error {
	done := time.NewTimer(useFor)
	defer done.Stop()
	select {
	case <-done.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func mutexClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[MutexConn](conn, "Lock and Unlock")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"acquire": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			owner, ok := v.Str()
			if !ok {
				return fallacy.Nil(), malformed("acquire", v)
			}
			return v, c.Lock(ctx, owner)
		},
		"use": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			owner, ok := v.Str()
			if !ok {
				return fallacy.Nil(), malformed("use", v)
			}
			if !c.Holds(owner) {
				return fallacy.Nil(), errLapsed
			}
			return v, work(ctx)
		},
		"release": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			owner, ok := v.Str()
			if !ok {
				return fallacy.Nil(), malformed("release", v)
			}
			lapsed, err := c.Unlock(ctx, owner)
			switch {
			case lapsed:
				return fallacy.Nil(), errLapsed
			case errors.Is(err, fallacy.ErrFailed): // it believed to hold the lock until it asked
				return v, nil
			}
			return v, err
		},
	}}, nil
}
