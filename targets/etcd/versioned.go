package etcd

import (
	"context"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
)

// ReadVersion returns the integer that key holds, and the revision at which it was
// written, 0 if it never was.
func (c *Conn) ReadVersion(ctx context.Context, key string) (version, value int, err error) {
	kv, err := c.get(ctx, versions+key)
	if err != nil || kv == nil {
		return 0, 0, err
	}
	value, err = integer(kv)
	return int(kv.ModRevision), value, err
}

// WriteVersion makes key hold value, and returns the revision.
func (c *Conn) WriteVersion(ctx context.Context, key string, value int) (version int, err error) {
	answer, err := call(ctx, c.kv.Put, &etcdserverpb.PutRequest{Key: []byte(versions + key), Value: decimal(value)}, false)
	if err != nil {
		return 0, err
	}
	return int(answer.Header.Revision), nil
}

// SwapVersion makes key hold value if it was last written at revision old, in one
// transaction. If not, seen is the revision and the value that are there.
func (c *Conn) SwapVersion(ctx context.Context, key string, old, value int) (version int, seen fallacy.Value, err error) {
	kv, version, err := c.swap(ctx, int64(old), &etcdserverpb.PutRequest{Key: []byte(versions + key), Value: decimal(value)})
	if version > 0 || err != nil {
		return version, fallacy.Nil(), err
	}
	if kv == nil {
		return 0, fallacy.Tuple(fallacy.Int(0), fallacy.Nil()), refused(nil, "nothing is there")
	}
	n, err := integer(kv)
	if err != nil {
		return 0, fallacy.Nil(), refused(nil, "%v", err)
	}
	return 0, fallacy.Ints(int(kv.ModRevision), n), refused(nil, "it was last written at revision %d", kv.ModRevision)
}
