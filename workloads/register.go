package workloads

import (
	"context"
	"strconv"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
	"github.com/fallacy-dev/fallacy/generator"
)

// RegisterConn is a connection to integer registers by key.
type RegisterConn interface {
	fallacy.Conn

	// Read returns the value of key; found is false when it was never written.
	Read(ctx context.Context, key string) (value int, found bool, err error)

	// Write makes value the value of key.
	Write(ctx context.Context, key string, value int) error

	// CompareAndSet makes to the value of key if that is from. If it is not, the
	// error wraps fallacy.ErrFailed and seen is the value that was there, nil for none.
	CompareAndSet(ctx context.Context, key string, from, to int) (seen fallacy.Value, err error)
}

// Sizes of the register workload: how many workers share a key, and for how many ops.
const (
	workersPerKey = 5
	opsPerKey     = 600
)

const registerDoc = `linearizable registers, one key after the other

Groups of five workers read, write and compare-and-set a register until it has
seen 600 operations, and take a fresh one then. Every value is written once
only, and a refused compare-and-set returns the value that it saw: that is what
makes long histories checkable, with a proof either way.

A stale read, a lost write, a dirty read, a split brain: all show here as a
register for which no order of the operations makes sense.`

// Register is the workload of linearizable registers.
func Register() *fallacy.Workload {
	return &fallacy.Workload{
		Name:      "register",
		Doc:       registerDoc,
		Client:    registerClient,
		Generator: registers("r", registerOps{}),
		Checkers:  []*fallacy.Checker{linearizable.Register()},
	}
}

// registers are keys with a prefix, one after the other for each group of workers.
func registers(prefix string, ops registerOps) fallacy.Generator {
	return generator.Independent(workersPerKey,
		func(i int) fallacy.Value { return fallacy.String(prefix + strconv.Itoa(i)) },
		func(fallacy.Value) fallacy.Generator { return generator.Limit(opsPerKey, ops) })
}

// registerOps is an endless mix of reads, writes and cas of one register. It
// remembers the last value that anybody saw, for a cas that expects any other
// is mostly refused.
type registerOps struct {
	n         int // ops so far, and so the next value
	last      fallacy.Value
	versioned bool // last is [version, value]
}

// Next reads in half of the cases, and else writes or swaps in equal parts.
func (g registerOps) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if len(now.Free) == 0 {
		return nil, g
	}
	at := now.Chance.At("register").Nth(g.n)
	op := &fallacy.Op{Time: now.Time, Process: now.Free[at.At("process").IntN(len(now.Free))]}
	fresh := fallacy.Int(g.n + 1)
	switch kind := at.At("f").IntN(4); {
	case kind < 2:
		op.F = "read"
	case kind == 2 || g.last.IsNil():
		op.F, op.Value = "write", fresh
	default:
		op.F, op.Value = "cas", g.swap(fresh)
	}
	g.n++
	return op, g
}

// swap is what a cas asks for: [old, new], or [version, [old, new]].
func (g registerOps) swap(fresh fallacy.Value) fallacy.Value {
	if version, value, ok := g.last.Tuple(); ok && g.versioned {
		return fallacy.Tuple(version, fallacy.List(value, fresh))
	}
	return fallacy.List(g.last, fresh)
}

// Update learns the register's value from what completes.
func (g registerOps) Update(_ fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.Type != fallacy.OK && (event.Type != fallacy.Fail || event.F != "cas") {
		return g
	}
	seen, version := event.Value, fallacy.Nil()
	if g.versioned {
		version, seen, _ = event.Value.Tuple()
	}
	if event.F == "cas" && event.Type == fallacy.OK {
		_, seen, _ = seen.Tuple()
	}
	if _, ok := seen.Int(); !ok {
		return g
	}
	if g.last = seen; g.versioned {
		g.last = fallacy.Tuple(version, seen)
	}
	return g
}

func registerClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[RegisterConn](conn, "Read, Write and CompareAndSet of integers by key")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"read":  func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) { return readRegister(ctx, c, v) },
		"write": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) { return writeRegister(ctx, c, v) },
		"cas":   func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) { return casRegister(ctx, c, v) },
	}}, nil
}

func readRegister(ctx context.Context, c RegisterConn, v fallacy.Value) (fallacy.Value, error) {
	key, _, _ := v.Tuple()
	name, ok := key.Str()
	if !ok {
		return fallacy.Nil(), malformed("read", v)
	}
	value, found, err := c.Read(ctx, name)
	if err != nil {
		return fallacy.Nil(), err
	}
	if !found {
		return fallacy.Tuple(key, fallacy.Nil()), nil
	}
	return fallacy.Tuple(key, fallacy.Int(value)), nil
}

func writeRegister(ctx context.Context, c RegisterConn, v fallacy.Value) (fallacy.Value, error) {
	name, value, ok := keyAndInt(v)
	if !ok {
		return fallacy.Nil(), malformed("write", v)
	}
	return v, c.Write(ctx, name, value)
}

func casRegister(ctx context.Context, c RegisterConn, v fallacy.Value) (fallacy.Value, error) {
	key, arg, _ := v.Tuple()
	name, named := key.Str()
	args, ok := arg.Ints()
	if !named || !ok || len(args) != 2 {
		return fallacy.Nil(), malformed("cas", v)
	}
	seen, err := c.CompareAndSet(ctx, name, args[0], args[1])
	switch {
	case err == nil:
		return v, nil
	case seen.IsNil(): // nothing was there, or nothing was asked: that is not to be told apart
		return fallacy.Nil(), err
	}
	return fallacy.Tuple(key, seen), err
}
