package etcd

import (
	"context"
	"fmt"
	"strconv"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// Where things are kept.
const (
	registers = "register/"
	versions  = "versioned/"
	lists     = "list/"
	elements  = "set/"
	counter   = "counter"
)

// get reads one key; nil is a key that is not there.
func (c *Conn) get(ctx context.Context, key string) (*mvccpb.KeyValue, error) {
	answer, err := call(ctx, c.kv.Range, &etcdserverpb.RangeRequest{Key: []byte(key)}, true)
	if err != nil || len(answer.Kvs) == 0 {
		return nil, err
	}
	return answer.Kvs[0], nil
}

// Read returns the integer that key holds; found is false if there is none.
func (c *Conn) Read(ctx context.Context, key string) (value int, found bool, err error) {
	kv, err := c.get(ctx, registers+key)
	if err != nil || kv == nil {
		return 0, false, err
	}
	value, err = integer(kv)
	return value, err == nil, err
}

// Write makes key hold value.
func (c *Conn) Write(ctx context.Context, key string, value int) error {
	_, err := call(ctx, c.kv.Put, &etcdserverpb.PutRequest{Key: []byte(registers + key), Value: decimal(value)}, false)
	return err
}

// CompareAndSet makes key hold to if it holds from: it reads the key, and writes
// if the key's revision is what it was. If not, or if the value is another, the
// error wraps fallacy.ErrFailed, and seen is the value that was there last.
func (c *Conn) CompareAndSet(ctx context.Context, key string, from, to int) (seen fallacy.Value, err error) {
	key = registers + key
	kv, err := c.get(ctx, key)
	if err != nil {
		return fallacy.Nil(), err
	}
	if seen, err = seenIn(kv); err != nil || !seen.Equal(fallacy.Int(from)) {
		return seen, refused(err, "it holds %v", seen)
	}
	kv, at, err := c.swap(ctx, kv.ModRevision, &etcdserverpb.PutRequest{Key: []byte(key), Value: decimal(to)})
	if at > 0 || err != nil {
		return fallacy.Nil(), err
	}
	seen, err = seenIn(kv)
	return seen, refused(err, "it was written meanwhile, and holds %v", seen)
}

// swap does put if the key has the revision mod, 0 for a key that is not there, and
// returns the revision. If not, that is 0, and kv is what the key holds.
func (c *Conn) swap(ctx context.Context, mod int64, put *etcdserverpb.PutRequest) (kv *mvccpb.KeyValue, revision int, err error) {
	answer, err := call(ctx, c.kv.Txn, &etcdserverpb.TxnRequest{
		Compare: []*etcdserverpb.Compare{unchanged(put.Key, mod)},
		Success: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: put}}},
		Failure: []*etcdserverpb.RequestOp{rangeOf(put.Key)},
	}, false)
	if err != nil {
		return nil, 0, err
	}
	if answer.Succeeded {
		return nil, int(answer.Header.Revision), nil
	}
	if kvs := answer.Responses[0].GetResponseRange().GetKvs(); len(kvs) > 0 {
		kv = kvs[0]
	}
	return kv, 0, nil
}

func unchanged(key []byte, mod int64) *etcdserverpb.Compare {
	return &etcdserverpb.Compare{
		Key: key, Target: etcdserverpb.Compare_MOD, Result: etcdserverpb.Compare_EQUAL,
		TargetUnion: &etcdserverpb.Compare_ModRevision{ModRevision: mod},
	}
}

func rangeOf(key []byte) *etcdserverpb.RequestOp {
	return &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestRange{RequestRange: &etcdserverpb.RangeRequest{Key: key}}}
}

// refused is the error of a condition that did not hold; err, if any, comes first.
func refused(err error, why string, args ...any) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: "+why, append([]any{fallacy.ErrFailed}, args...)...)
}

func seenIn(kv *mvccpb.KeyValue) (fallacy.Value, error) {
	if kv == nil {
		return fallacy.Nil(), nil
	}
	n, err := integer(kv)
	return fallacy.Int(n), err
}

func decimal(n int) []byte { return strconv.AppendInt(nil, int64(n), 10) }

// integer reads what decimal wrote. Anything else in a key of ours is no answer.
func integer(kv *mvccpb.KeyValue) (int, error) {
	n, err := strconv.Atoi(string(kv.Value))
	if err != nil {
		return 0, fmt.Errorf("key %s holds %q, which is no integer", kv.Key, kv.Value)
	}
	return n, nil
}
