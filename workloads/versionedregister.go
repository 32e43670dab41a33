package workloads

import (
	"context"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
)

// VersionedConn is a connection to integer registers by key that give each value a
// version, which grows from write to write; there may be gaps.
type VersionedConn interface {
	fallacy.Conn

	// ReadVersion returns the value of key and its version, 0 if it was never written.
	ReadVersion(ctx context.Context, key string) (version, value int, err error)

	// WriteVersion makes value the value of key, and returns its version.
	WriteVersion(ctx context.Context, key string, value int) (version int, err error)

	// SwapVersion makes value the value of key if the version is old, and returns the
	// new one. If it is not, the error wraps fallacy.ErrFailed, and seen is [version,
	// value] as they were, [0, nil] for none; nil if that is not known.
	SwapVersion(ctx context.Context, key string, old, value int) (version int, seen fallacy.Value, err error)
}

const versionedRegisterDoc = `linearizable registers with versions, compared by version

As the workload register, but reads and writes tell the version of the value as well,
and compare-and-set asks for a version that somebody has seen. The versions say in
which order all took effect, so that every history can be judged at once, however long.`

// VersionedRegister is the workload of linearizable registers with versions.
func VersionedRegister() *fallacy.Workload {
	return &fallacy.Workload{
		Name:      "versioned-register",
		Doc:       versionedRegisterDoc,
		Client:    versionedClient,
		Generator: registers("v", registerOps{versioned: true}),
		Checkers:  []*fallacy.Checker{linearizable.Versioned(false)},
	}
}

func versionedClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[VersionedConn](conn, "ReadVersion, WriteVersion and SwapVersion of integers by key")
	if err != nil {
		return nil, err
	}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"read": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			key, _, _ := v.Tuple()
			name, ok := key.Str()
			if !ok {
				return fallacy.Nil(), malformed("read", v)
			}
			version, value, err := c.ReadVersion(ctx, name)
			if err != nil {
				return fallacy.Nil(), err
			}
			return fallacy.Tuple(key, versionAndValue(version, value)), nil
		},
		"write": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
			name, value, ok := keyAndInt(v)
			if !ok {
				return fallacy.Nil(), malformed("write", v)
			}
			version, err := c.WriteVersion(ctx, name, value)
			if err != nil {
				return fallacy.Nil(), err
			}
			return fallacy.Tuple(fallacy.String(name), fallacy.Ints(version, value)), nil
		},
		"cas": func(ctx context.Context, v fallacy.Value) (fallacy.Value, error) { return swapVersion(ctx, c, v) },
	}}, nil
}

func swapVersion(ctx context.Context, c VersionedConn, v fallacy.Value) (fallacy.Value, error) {
	key, arg, _ := v.Tuple()
	name, named := key.Str()
	version, swap, _ := arg.Tuple()
	old, hasOld := version.Int()
	values, ok := swap.Ints()
	if !named || !hasOld || !ok || len(values) != 2 {
		return fallacy.Nil(), malformed("cas", v)
	}
	now, seen, err := c.SwapVersion(ctx, name, old, values[1])
	switch {
	case err == nil:
		return fallacy.Tuple(key, fallacy.Tuple(fallacy.Int(now), swap)), nil
	case seen.IsNil():
		return fallacy.Nil(), err
	}
	return fallacy.Tuple(key, seen), err
}

// versionAndValue is what a read saw: version 0 holds nothing.
func versionAndValue(version, value int) fallacy.Value {
	if version == 0 {
		return fallacy.Tuple(fallacy.Int(0), fallacy.Nil())
	}
	return fallacy.Ints(version, value)
}
