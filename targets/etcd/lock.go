package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// Of the lock.
const (
	lockPrefix = "lock"
	lockGuards = "guarded"
	lockTTL    = 1 // seconds: the least that etcd grants with these election timeouts
)

// firstAnswer is for how long a session takes itself for alive before its first
// answer: what etcd's client has by default (lease.go, defaultTTL), which is longer
// than the lease.
const firstAnswer = 5 * time.Second

// held is the lock of a connection: etcd's own recipe, in package concurrency of
// its client, over the connection's own requests, so that none is sent twice. Its
// session keeps the lease alive, and is over when that is.
type held struct {
	client  *clientv3.Client
	lease   clientv3.Lease
	session *concurrency.Session
	mutex   *concurrency.Mutex // nil: not held
}

// forget ends the session without telling the server.
func (h *held) forget() {
	if h.session != nil {
		h.session.Orphan()
		_ = h.lease.Close() // it always says that it was cancelled
	}
	*h = held{}
}

// believed tells whether the connection takes itself for the holder.
func (h *held) believed() bool {
	if h.mutex == nil {
		return false
	}
	select {
	case <-h.session.Done():
		return false
	default:
		return true
	}
}

// begin makes a session if there is none.
func (c *Conn) begin(ctx context.Context) error {
	if h := &c.lock; h.session != nil {
		select {
		case <-h.session.Done():
			h.forget()
		default:
			return nil
		}
	}
	granted, err := call(ctx, etcdserverpb.NewLeaseClient(c.grpc).LeaseGrant, &etcdserverpb.LeaseGrantRequest{TTL: lockTTL}, false)
	if err != nil {
		// The lock was not asked for yet; what is left is a lease that ends by itself.
		return fmt.Errorf("%w: grant a lease: %w", fallacy.ErrFailed, err)
	}
	h := held{client: clientv3.NewCtxClient(context.WithoutCancel(ctx))}
	h.lease = clientv3.NewLeaseFromLeaseClient(etcdserverpb.NewLeaseClient(c.grpc), h.client, firstAnswer)
	h.client.KV, h.client.Lease = clientv3.NewKVFromKVClient(c.kv, h.client), h.lease
	if h.session, err = concurrency.NewSession(h.client, concurrency.WithLease(clientv3.LeaseID(granted.ID))); err != nil {
		_ = h.lease.Close()
		return fmt.Errorf("%w: keep a lease alive: %w", fallacy.ErrFailed, err)
	}
	c.lock = h
	return nil
}

// take takes the lock, by [concurrency.Mutex.TryLock].
func (c *Conn) take(ctx context.Context) error {
	if err := c.begin(ctx); err != nil {
		return err
	}
	m := concurrency.NewMutex(c.lock.session, lockPrefix)
	sent := new(atomic.Bool)
	err := m.TryLock(context.WithValue(ctx, sentKey{}, sent))
	switch {
	case err == nil:
		c.lock.mutex = m
		return nil
	case !sent.Load():
		rest(ctx)
		return fmt.Errorf("%w: never sent: %w", fallacy.ErrFailed, err)
	case errors.Is(err, concurrency.ErrLocked):
		return fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
	}
	return err // its key may be there
}

// Lock takes the lock; the error wraps fallacy.ErrFailed if somebody has it.
func (c *Conn) Lock(ctx context.Context, _ string) error { return c.take(ctx) }

// Holds tells whether the session is not known to be over.
func (c *Conn) Holds(string) bool { return c.lock.believed() }

// Unlock gives the lock back, unless the session is known to be over.
func (c *Conn) Unlock(ctx context.Context, _ string) (lapsed bool, err error) {
	if !c.lock.believed() {
		c.lock.forget()
		return true, nil
	}
	m := c.lock.mutex
	c.lock.mutex = nil
	return false, m.Unlock(ctx)
}

// Acquire takes the lock and returns its fencing token: the revision at which the
// lock's key was created, which grows from holder to holder.
func (c *Conn) Acquire(ctx context.Context, _ string) (token int, err error) {
	if err := c.take(ctx); err != nil {
		return 0, err
	}
	return int(c.lock.mutex.Header().Revision), nil // that of the transaction that created the key
}

// Release gives the lock back. The error wraps fallacy.ErrFailed if it is known to
// be lost.
func (c *Conn) Release(ctx context.Context, _ string, _ int) error {
	lapsed, err := c.Unlock(ctx, "")
	if lapsed {
		return refused(nil, "the session is over")
	}
	return err
}

// Guard writes value to what the lock guards, in a transaction that asks for the
// lock's key, as etcd's manual recommends. The error wraps fallacy.ErrFailed if
// that is not there any more.
func (c *Conn) Guard(ctx context.Context, token, value int) error {
	if c.lock.mutex == nil {
		return refused(nil, "the lock is not held")
	}
	put := &etcdserverpb.PutRequest{Key: []byte(lockGuards), Value: fmt.Appendf(nil, "%d %d", token, value)}
	answer, err := call(ctx, c.kv.Txn, &etcdserverpb.TxnRequest{
		Compare: []*etcdserverpb.Compare{{
			Key: []byte(c.lock.mutex.Key()), Target: etcdserverpb.Compare_CREATE, Result: etcdserverpb.Compare_EQUAL,
			TargetUnion: &etcdserverpb.Compare_CreateRevision{CreateRevision: int64(token)},
		}},
		Success: []*etcdserverpb.RequestOp{{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: put}}},
	}, false)
	if err == nil && !answer.Succeeded {
		err = refused(nil, "the lock's key is gone")
	}
	return err
}
