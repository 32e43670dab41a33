package etcd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
)

// Where keys with leases are kept.
const (
	leased    = "leased/"
	leasedEnd = "leased0"
)

// leaseID is etcd's ID of a lease: 0 is none.
func leaseID(lease int) int64 { return int64(lease) + 1 }

func (c *Conn) leases() etcdserverpb.LeaseClient { return etcdserverpb.NewLeaseClient(c.grpc) }

// Grant grants a lease under an ID of its own, and puts its key. If the lease is not
// certain to have been granted, the key is not put: what may be left of that has no
// key and ends by itself.
func (c *Conn) Grant(ctx context.Context, lease int, ttl time.Duration) (granted time.Duration, err error) {
	seconds := int64((ttl + time.Second - 1) / time.Second)
	q := &etcdserverpb.LeaseGrantRequest{ID: leaseID(lease), TTL: seconds}
	answer, err := call(ctx, c.leases().LeaseGrant, q, false)
	if err != nil {
		return 0, fmt.Errorf("%w: grant a lease: %w", fallacy.ErrFailed, err)
	}
	put := &etcdserverpb.PutRequest{Key: []byte(leased + strconv.Itoa(lease)), Lease: leaseID(lease)}
	if _, err := call(ctx, c.kv.Put, put, false); err != nil {
		return 0, err
	}
	return time.Duration(answer.TTL) * time.Second, nil
}

// KeepAlive keeps a lease alive, once, by a stream of its own.
func (c *Conn) KeepAlive(ctx context.Context, lease int) (granted time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // it ends the stream
	answer, err := call(ctx, c.keepOnce, &etcdserverpb.LeaseKeepAliveRequest{ID: leaseID(lease)}, false)
	if err != nil {
		return 0, err
	}
	if answer.ID != leaseID(lease) {
		return 0, fmt.Errorf("the answer is about the lease %d, want %d", answer.ID, leaseID(lease))
	}
	return time.Duration(max(0, answer.TTL)) * time.Second, nil
}

// keepOnce sends one request and waits for the answer to it.
func (c *Conn) keepOnce(ctx context.Context, q *etcdserverpb.LeaseKeepAliveRequest, opts ...grpc.CallOption) (*etcdserverpb.LeaseKeepAliveResponse, error) {
	stream, err := c.leases().LeaseKeepAlive(ctx, opts...)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(q); err != nil && !errors.Is(err, io.EOF) { // then Recv says why
		return nil, err
	}
	return stream.Recv()
}

// Revoke revokes a lease, which deletes its key.
func (c *Conn) Revoke(ctx context.Context, lease int) error {
	_, err := call(ctx, c.leases().LeaseRevoke, &etcdserverpb.LeaseRevokeRequest{ID: leaseID(lease)}, false)
	return err
}

// Leased returns the leases whose keys are there, by one linearizable read.
func (c *Conn) Leased(ctx context.Context) ([]int, error) {
	q := &etcdserverpb.RangeRequest{Key: []byte(leased), RangeEnd: []byte(leasedEnd), KeysOnly: true}
	answer, err := call(ctx, c.kv.Range, q, true)
	if err != nil {
		return nil, err
	}
	found := make([]int, len(answer.Kvs))
	for i, kv := range answer.Kvs {
		if found[i], err = strconv.Atoi(strings.TrimPrefix(string(kv.Key), leased)); err != nil {
			return nil, fmt.Errorf("there is a key %q with a lease", kv.Key)
		}
	}
	return found, nil
}
