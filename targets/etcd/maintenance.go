package etcd

import (
	"context"
	"errors"
	"fmt"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/status"
)

// Tasks returns what etcd's administrators do by hand or by the clock.
func (*target) Tasks() map[string]fallacy.Task {
	return map[string]fallacy.Task{"compact": compact, "defrag": defragment}
}

// past reads a key of ours as it was at a revision, 0 for now, on n itself, and
// returns the revision that n has.
func (c *Conn) past(ctx context.Context, revision int64) (now int64, err error) {
	answer, err := c.kv.Range(ctx, &etcdserverpb.RangeRequest{Key: []byte(counter), Revision: revision, Serializable: true})
	if err != nil {
		return 0, err
	}
	return answer.Header.Revision, nil
}

// compact discards all revisions before the one that n has, and waits until n has
// done so. It took effect if n then refuses to read the revision before.
func compact(ctx context.Context, n fallacy.Node) (fallacy.Value, error) {
	c, err := open(n)
	if err != nil {
		return fallacy.Nil(), err
	}
	defer func() { _ = c.Close() }()
	now, err := c.past(ctx, 0)
	if err != nil {
		return fallacy.Nil(), fmt.Errorf("ask for the revision: %w", err)
	}
	if now < 2 {
		return fallacy.Nil(), fmt.Errorf("it is at revision %d: there is no past to discard", now)
	}
	if _, err := c.kv.Compact(ctx, &etcdserverpb.CompactionRequest{Revision: now, Physical: true}); err != nil {
		return fallacy.Nil(), fmt.Errorf("compact to revision %d: %w", now, err)
	}
	_, err = c.past(ctx, now-1)
	switch {
	case err == nil:
		return fallacy.Nil(), fmt.Errorf("it compacted to revision %d, and still reads revision %d", now, now-1)
	case status.Convert(err).Message() != status.Convert(rpctypes.ErrGRPCCompacted).Message():
		return fallacy.Nil(), fmt.Errorf("read revision %d after a compaction to %d: %w", now-1, now, err)
	}
	return fallacy.Object(
		fallacy.Field{Name: "revision", Value: fallacy.Int(int(now))},
		fallacy.Field{Name: "refused", Value: fallacy.Int(int(now - 1))},
	), nil
}

// defragment has n write its database anew, and returns how large it was and is, in
// bytes: some of what was freed may be in use again by then.
func defragment(ctx context.Context, n fallacy.Node) (fallacy.Value, error) {
	before, err := statusOf(ctx, n)
	if err != nil {
		return fallacy.Nil(), fmt.Errorf("ask for the size: %w", err)
	}
	c, err := open(n)
	if err != nil {
		return fallacy.Nil(), err
	}
	defer func() { _ = c.Close() }()
	if _, err := etcdserverpb.NewMaintenanceClient(c.grpc).Defragment(ctx, &etcdserverpb.DefragmentRequest{}); err != nil {
		return fallacy.Nil(), fmt.Errorf("defragment: %w", err)
	}
	after, err := statusOf(ctx, n)
	if err != nil {
		return fallacy.Nil(), fmt.Errorf("ask for the size afterwards: %w", err)
	}
	if after.DbSize <= 0 || after.DbSizeInUse > after.DbSize {
		return fallacy.Nil(), errors.New("a database of no size, or with more in use than there is")
	}
	return fallacy.Object(
		fallacy.Field{Name: "before", Value: fallacy.Int(int(before.DbSize))},
		fallacy.Field{Name: "after", Value: fallacy.Int(int(after.DbSize))},
		fallacy.Field{Name: "in_use", Value: fallacy.Int(int(after.DbSizeInUse))},
	), nil
}
