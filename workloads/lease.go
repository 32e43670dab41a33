package workloads

import (
	"context"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
)

// LeaseConn is a connection to a store whose keys can live as long as a lease.
// Leases are numbered; each has one key.
type LeaseConn interface {
	fallacy.Conn

	// Grant makes a lease of so much time, and its key, and returns the time that was
	// granted. The error wraps fallacy.ErrFailed if the key will certainly not be there.
	Grant(ctx context.Context, lease int, ttl time.Duration) (granted time.Duration, err error)

	// KeepAlive gives a lease its time anew, and returns that; 0 if there is no such lease.
	KeepAlive(ctx context.Context, lease int) (granted time.Duration, err error)

	// Revoke ends a lease, and takes its key away.
	Revoke(ctx context.Context, lease int) error
}

// LeaseReader is a connection that tells which leases' keys are there.
type LeaseReader interface {
	// Leased returns the numbers of all leases whose keys are there, in one read.
	Leased(ctx context.Context) (leases []int, err error)
}

const leaseDoc = `keys that live as long as a lease, and no longer

Each worker has a lease of 1 to 3 seconds granted, with a key of its own, keeps it
alive a few times, then revokes it or lets it run out, and now and then tries to keep
it alive once more when it is too late. In between it reads which keys are there. At
the end all wait until no key is left.

A key must not go before its time, counted from when it was asked for; it must be gone
after a revoke, and must not come back. That it goes late is no anomaly: a new leader
may give every lease its time anew. How late is in the details.`

// Lease is the workload of keys with leases.
func Lease() *fallacy.Workload {
	return &fallacy.Workload{
		Name:      "lease",
		Doc:       leaseDoc,
		Client:    leaseClient,
		Generator: generator.EachWorker(lessee{}),
		Final:     generator.EachWorker(reaper{}),
		Checkers:  []*fallacy.Checker{checkers.Lease()},
	}
}

// Shape of the lease workload.
const (
	leaseLeast  = time.Second // of a lease's time, which is a whole number of these
	leaseMost   = 3
	keepsMost   = 2 // times that a lease is kept alive
	lookEvery   = 25 * time.Millisecond
	lateLooks   = 8                // reads after a key was seen to be gone
	giveUpAfter = 12 * time.Second // on a key that does not go, beyond its lease's time
)

// lessee is what one worker does with its leases, one after the other.
type lessee struct {
	n       int           // ops so far
	leases  int           // leases so far; the last is the one that is held
	ttl     time.Duration // of it; 0: another one is to be granted
	keeps   int           // times that it is still to be kept alive
	revokes bool          // rather than runs out
	act     time.Duration // when the next of these is due
	over    time.Duration // when to give up on it
	gone    int           // reads since it was found to be gone
	after   time.Duration // when the next op may come
	busy    bool
}

// number is the lease's, which no other worker has had.
func (g lessee) number(now fallacy.Moment, process int) fallacy.Value {
	return fallacy.Int(g.leases*now.Concurrency + process%now.Concurrency)
}

// Next grants, keeps alive or revokes when that is due, and else reads.
func (g lessee) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if g.busy || len(now.Free) == 0 {
		return nil, g
	}
	at := now.Chance.At("lessee").Nth(g.n)
	op := &fallacy.Op{Time: max(now.Time, g.after), Process: now.Free[0], F: "read"}
	switch due := op.Time >= g.act; {
	case g.ttl == 0:
		g.leases++
		g.ttl = time.Duration(1+at.At("ttl").IntN(leaseMost)) * leaseLeast
		op.F, op.Value = "grant", fallacy.Tuple(g.number(now, op.Process), fallacy.Int(int(g.ttl/time.Millisecond)))
	case g.gone > 0 && due && g.keeps > 0: // too late
		op.F, g.keeps = "keepalive", 0
	case g.gone > 0 || !due:
	case g.keeps > 0:
		op.F, g.keeps = "keepalive", g.keeps-1
	case g.revokes:
		op.F, g.revokes = "revoke", false
	}
	if op.F == "keepalive" || op.F == "revoke" {
		op.Value = fallacy.Tuple(g.number(now, op.Process), fallacy.Nil())
		g.act = op.Time + time.Duration(at.At("act").Float64()*float64(g.ttl))
	}
	g.n, g.busy = g.n+1, true
	return op, g
}

// Update learns whether there is a lease, and whether its key is there.
func (g lessee) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.Type == fallacy.Invoke {
		return g
	}
	g.busy = false
	at := now.Chance.At("lessee").Nth(g.n)
	g.after = now.Time + time.Duration(2*at.At("pause").Float64()*float64(lookEvery))
	switch {
	case event.F == "grant" && event.Type == fallacy.OK:
		g.keeps, g.revokes = at.At("keeps").IntN(keepsMost+1), at.At("revokes").IntN(2) == 0
		g.act = now.Time + time.Duration(at.At("act").Float64()*float64(g.ttl))
		g.over, g.gone = now.Time+time.Duration(g.keeps+1)*g.ttl+giveUpAfter, 0
	case event.F == "grant":
		g.ttl = 0
	case event.F == "read" && event.Type == fallacy.OK && (g.gone > 0 || !g.listed(now, event)):
		if g.gone++; g.gone == 1 {
			g.keeps = at.At("late").IntN(2)
		}
	}
	if g.gone > lateLooks || now.Time > g.over {
		g.ttl, g.gone = 0, 0
	}
	return g
}

// listed tells whether a read saw the key.
func (g lessee) listed(now fallacy.Moment, event fallacy.Op) bool {
	all, _ := event.Value.List()
	for _, n := range all {
		if n.Equal(g.number(now, event.Process)) {
			return true
		}
	}
	return false
}

// reaper is a worker's reads at the end, until no key is left, or it is plain that
// some will stay, or its node answers none.
type reaper struct {
	n      int
	until  time.Duration // 0: it has not begun
	after  time.Duration
	misses int // reads in a row that were not answered
	busy   bool
	done   bool
}

// Bounds of a reaper.
const (
	reapFor    = leaseMost*leaseLeast + checkers.LeaseOver + 3*time.Second // until keys that have not expired then never will
	missesMost = 5
)

// Next reads once more.
func (g reaper) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if g.until == 0 {
		g.until = now.Time + reapFor
	}
	if g.done || g.misses == missesMost || now.Time > g.until {
		return nil, nil
	}
	if g.busy || len(now.Free) == 0 {
		return nil, g
	}
	g.n, g.busy = g.n+1, true
	return &fallacy.Op{Time: max(now.Time, g.after), Process: now.Free[0], F: "read"}, g
}

// Update ends it when no key is left.
func (g reaper) Update(now fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.Type == fallacy.Invoke {
		return g
	}
	g.busy, g.misses = false, g.misses+1
	if event.Type == fallacy.OK {
		left, _ := event.Value.List()
		g.misses, g.done = 0, len(left) == 0
	}
	g.after = now.Time + lookEvery*4
	return g
}

func leaseClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[LeaseConn](conn, "Grant, KeepAlive and Revoke of leases")
	if err != nil {
		return nil, err
	}
	reader, err := need[interface {
		fallacy.Conn
		LeaseReader
	}](conn, "Leased")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"grant":     func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) { return grantLease(ctx, c, v) },
		"keepalive": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) { return keepLease(ctx, c, v) },
		"revoke": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			number, _, _ := v.Tuple()
			lease, ok := number.Int()
			if !ok {
				return fallacy.Nil(), malformed("revoke", v)
			}
			return v, c.Revoke(ctx, lease)
		},
		"read": func(ctx context.Context, _ fallacy.Value) (fallacy.Value, error) {
			leases, err := reader.Leased(ctx)
			return fallacy.Ints(leases...), err
		},
	}}, nil
}

func grantLease(ctx context.Context, c LeaseConn, v fallacy.Value) (fallacy.Value, error) {
	args, ok := v.Ints()
	if !ok || len(args) != 2 || args[1] <= 0 {
		return fallacy.Nil(), malformed("grant", v)
	}
	granted, err := c.Grant(ctx, args[0], time.Duration(args[1])*time.Millisecond)
	if err != nil {
		return fallacy.Nil(), err
	}
	return fallacy.Ints(args[0], int(granted.Milliseconds())), nil
}

func keepLease(ctx context.Context, c LeaseConn, v fallacy.Value) (fallacy.Value, error) {
	number, _, _ := v.Tuple()
	lease, ok := number.Int()
	if !ok {
		return fallacy.Nil(), malformed("keepalive", v)
	}
	granted, err := c.KeepAlive(ctx, lease)
	if err != nil {
		return fallacy.Nil(), err
	}
	return fallacy.Ints(lease, int(granted.Milliseconds())), nil
}
