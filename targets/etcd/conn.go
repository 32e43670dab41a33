package etcd

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fallacy-dev/fallacy"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"
)

// Conn is a client of one member, for one process. One call is one request, or
// where it says so two, of which the first only reads.
//
// An error wraps fallacy.ErrFailed if nothing happened and nothing will: the
// request never left, the member says so in a way that classify knows to be proof,
// or it was a read, which changes nothing.
type Conn struct {
	node fallacy.Node
	grpc *grpc.ClientConn
	kv   etcdserverpb.KVClient
	lock held
	// watch is the one that is going on, nil for none, and from is where the next
	// has to begin so that nothing is missed.
	watch *stream
	from  int
}

// Times of a connection. A member that does not greet is given up early, as one
// behind a link that is cut.
const (
	connectPatience = time.Second
	redialAfter     = 50 * time.Millisecond
	redialAfterMax  = 500 * time.Millisecond
	// restFor is how long a client rests that found nobody to talk to: without it
	// the clients of members that are down would use up the rate of operations.
	restFor = 100 * time.Millisecond
)

// answerMax bounds an answer: a set of all elements of a long run.
const answerMax = 256 << 20

func open(n fallacy.Node) (*Conn, error) {
	addr := n.Public["client"]
	if addr == "" {
		return nil, fmt.Errorf("no way to the client port of %s", n.Name)
	}
	conn, err := grpc.NewClient("passthrough:///"+addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithStatsHandler(watchful{}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(answerMax)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: redialAfter, Multiplier: 2, Jitter: 0.2, MaxDelay: redialAfterMax},
			MinConnectTimeout: connectPatience,
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", n.Name, err)
	}
	return &Conn{node: n, grpc: conn, kv: etcdserverpb.NewKVClient(conn)}, nil
}

// Close hangs up. A lock that is held stays so until its lease is over.
func (c *Conn) Close() error {
	c.lock.forget()
	c.endWatch()
	return c.grpc.Close()
}

// connected waits until the server has greeted; false if it does not in time.
func (c *Conn) connected(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, connectPatience/2)
	defer cancel()
	for {
		state := c.grpc.GetState()
		if state == connectivity.Ready {
			return true
		}
		c.grpc.Connect()
		if !c.grpc.WaitForStateChange(ctx, state) {
			return false
		}
	}
}

// call does one request and says what an error of it proves.
func call[Q, A any](ctx context.Context, do func(context.Context, Q, ...grpc.CallOption) (A, error), q Q, readOnly bool) (A, error) {
	sent := new(atomic.Bool)
	answer, err := do(context.WithValue(ctx, sentKey{}, sent), q)
	if err == nil {
		return answer, nil
	}
	switch {
	case !sent.Load():
		rest(ctx)
		err = fmt.Errorf("%w: never sent: %w", fallacy.ErrFailed, err)
	case readOnly:
		err = fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
	default:
		err = classify(err)
	}
	return answer, err
}

func rest(ctx context.Context) {
	timer := time.NewTimer(restFor)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// sentKey is of the flag, in a call's context, that the request has left.
type sentKey struct{}

// watchful notes when a request is handed to the network. gRPC hands none over
// before the server has greeted, so a proxy that answers in its name changes nothing.
type watchful struct{}

// TagRPC leaves the context as it is.
func (watchful) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC notes the moment when the request's header goes out.
func (watchful) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if _, ok := s.(*stats.OutHeader); !ok {
		return
	}
	if sent, ok := ctx.Value(sentKey{}).(*atomic.Bool); ok {
		sent.Store(true)
	}
}

// TagConn leaves the context as it is.
func (watchful) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn takes no notice.
func (watchful) HandleConn(context.Context, stats.ConnStats) {}
