package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
)

// Where watched keys are kept. Every change is one of two keys at once, so that
// what is delivered shows whether it came apart.
const (
	watched    = "watched/"
	watchedEnd = "watched0"
	twin       = "/twin"
)

// Set makes value the value of key, and of its twin, and returns the revision.
func (c *Conn) Set(ctx context.Context, key string, value int) (revision int, err error) {
	q := &etcdserverpb.TxnRequest{}
	for _, k := range []string{key, key + twin} {
		put := &etcdserverpb.PutRequest{Key: []byte(watched + k), Value: decimal(value)}
		q.Success = append(q.Success, &etcdserverpb.RequestOp{Request: &etcdserverpb.RequestOp_RequestPut{RequestPut: put}})
	}
	answer, err := call(ctx, c.kv.Txn, q, false)
	if err != nil {
		return 0, err
	}
	return int(answer.Header.Revision), nil
}

// stream is a watch that is going on. Answers come as the server sends them: etcd's
// own client would begin anew by itself when it breaks off.
type stream struct {
	etcdserverpb.Watch_WatchClient
	cancel  context.CancelFunc
	answers chan *etcdserverpb.WatchResponse // closed when it is over
	err     error                            // then: why
}

func (s *stream) close() {
	s.cancel()
	for range s.answers { // until the reader has seen it
	}
}

// beginWatch begins a watch.
func (c *Conn) beginWatch(from int) (*stream, error) {
	ctx, cancel := context.WithCancel(context.Background())
	client, err := etcdserverpb.NewWatchClient(c.grpc).Watch(ctx)
	if err == nil {
		err = client.Send(&etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_CreateRequest{
			CreateRequest: &etcdserverpb.WatchCreateRequest{Key: []byte(watched), RangeEnd: []byte(watchedEnd), StartRevision: int64(from)},
		}})
	}
	if err != nil {
		cancel()
		return nil, err
	}
	s := &stream{Watch_WatchClient: client, cancel: cancel, answers: make(chan *etcdserverpb.WatchResponse)}
	go s.read(ctx)
	return s, nil
}

// read hands on what the server sends, and as long as nobody takes it, reads no more.
func (s *stream) read(ctx context.Context) {
	defer close(s.answers)
	for {
		answer, err := s.Recv()
		switch {
		case err != nil:
			s.err = err
			return
		case answer.Canceled && answer.CompactRevision > 0:
			s.err = compactedTo(answer.CompactRevision)
			return
		case answer.Canceled:
			s.err = fmt.Errorf("cancelled by the server: %s", answer.CancelReason)
			return
		case answer.Created:
			continue
		}
		select {
		case s.answers <- answer:
		case <-ctx.Done():
			s.err = ctx.Err()
			return
		}
	}
}

// Watch begins a watch with the changes of revision from, and returns what it
// delivers first.
func (c *Conn) Watch(ctx context.Context, from int) (fallacy.Value, error) {
	c.endWatch()
	c.from = from
	if !c.connected(ctx) {
		rest(ctx)
		return fallacy.Nil(), fmt.Errorf("%w: not connected", fallacy.ErrFailed)
	}
	var err error
	if c.watch, err = c.beginWatch(from); err != nil {
		return fallacy.Nil(), fmt.Errorf("%w: begin a watch: %w", fallacy.ErrFailed, err)
	}
	return c.Watched(ctx)
}

// endWatch ends the watch, if there is one.
func (c *Conn) endWatch() {
	if c.watch != nil {
		c.watch.close()
		c.watch = nil
	}
}

// Times of a watch: for how long it waits for an event, and then for a bookmark.
const (
	eventPatience    = 200 * time.Millisecond
	bookmarkPatience = 300 * time.Millisecond
)

// compactedTo is why a watch was cancelled: all before this revision was discarded,
// and the watch needs some of it. Its first event that is left is of this revision.
type compactedTo int

// Error says what became of the watch.
func (c compactedTo) Error() string {
	return fmt.Sprintf("cancelled by the server: all before revision %d is compacted", int(c))
}

// Watched returns what the watch delivers next: one answer of the server's. A watch
// that broke off, or that there never was, is begun where it should go on. One that
// lags behind a compaction goes on there, and says so.
func (c *Conn) Watched(ctx context.Context) (fallacy.Value, error) {
	if c.watch == nil {
		return c.Watch(ctx, max(1, c.from))
	}
	answer, err := c.watch.next(ctx, eventPatience)
	if answer == nil && err == nil {
		err = c.watch.Send(&etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_ProgressRequest{
			ProgressRequest: &etcdserverpb.WatchProgressRequest{},
		}})
		if err == nil {
			answer, err = c.watch.next(ctx, bookmarkPatience)
		}
	}
	var to compactedTo
	switch {
	case errors.As(err, &to):
		c.endWatch()
		c.from = int(to)
		return fallacy.List(fallacy.List(fallacy.Int(int(to)), fallacy.Nil(), fallacy.String(checkers.Compacted))), nil
	case err != nil:
		c.endWatch()
		return fallacy.Nil(), fmt.Errorf("%w: watch: %w", fallacy.ErrFailed, err)
	}
	if answer == nil {
		return fallacy.List(), nil
	}
	c.from = int(answer.Header.Revision) + 1
	if n := len(answer.Events); n > 0 {
		c.from = int(answer.Events[n-1].Kv.ModRevision) + 1
	}
	return events(answer)
}

// next returns the next answer, nil if there is none for a while.
func (s *stream) next(ctx context.Context, patience time.Duration) (*etcdserverpb.WatchResponse, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case answer, ok := <-s.answers:
		if !ok {
			return nil, s.err
		}
		return answer, nil
	case <-timer.C:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// events are what an answer delivers; one without events is a bookmark.
func events(answer *etcdserverpb.WatchResponse) (fallacy.Value, error) {
	if len(answer.Events) == 0 {
		return fallacy.List(fallacy.List(fallacy.Int(int(answer.Header.Revision)), fallacy.Nil(), fallacy.Nil())), nil
	}
	var list []fallacy.Value
	for _, e := range answer.Events {
		if e.Type != mvccpb.Event_PUT {
			return fallacy.Nil(), errors.New("a key was deleted, and nobody deletes any")
		}
		n, err := integer(e.Kv)
		if err != nil {
			return fallacy.Nil(), err
		}
		key := strings.TrimPrefix(string(e.Kv.Key), watched)
		list = append(list, fallacy.List(fallacy.Int(int(e.Kv.ModRevision)), fallacy.String(key), fallacy.Int(n)))
	}
	return fallacy.List(list...), nil
}
