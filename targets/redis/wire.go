package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// wire is one connection to one node. It knows whether anything of the current
// request was sent.
type wire struct {
	node   fallacy.Node
	client *redis.Client
	ready  atomic.Bool // the server has greeted
	sent   atomic.Bool
}

// Times of a wire.
const (
	dialPatience = time.Second
	patience     = 10 * time.Second // of a request whose context has no deadline
)

// silent keeps go-redis from complaining on standard error of servers that are
// down: they are meant to be.
type silent struct{}

// Printf prints nothing.
func (silent) Printf(context.Context, string, ...any) {}

// newWire connects to n, at the first request. The server's greeting (HELLO) is
// waited for before anything else is sent: a proxy between us and a node that is
// down accepts in its name, and what fails then has certainly not happened.
func newWire(n fallacy.Node) *wire {
	w := &wire{node: n}
	w.client = redis.NewClient(&redis.Options{
		Addr:                     n.Public["client"],
		Protocol:                 2,
		MaxRetries:               -1,
		PoolSize:                 1,
		DialerRetries:            1,
		DialTimeout:              dialPatience,
		ReadTimeout:              patience,
		WriteTimeout:             patience,
		ContextTimeoutEnabled:    true,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			w.ready.Store(false)
			c, err := (&net.Dialer{Timeout: dialPatience}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return noticed{c.(*net.TCPConn), w}, nil
		},
		OnConnect: func(context.Context, *redis.Conn) error {
			w.ready.Store(true)
			return nil
		},
	})
	return w
}

func (w *wire) close() { _ = w.client.Close() } // there is nothing that could fail but being closed before

// noticed is a connection that notes what is sent after the greeting.
type noticed struct {
	*net.TCPConn
	wire *wire
}

// Write notes that something was sent, even if that goes wrong half-way.
func (n noticed) Write(p []byte) (int, error) {
	if n.wire.ready.Load() {
		n.wire.sent.Store(true)
	}
	return n.TCPConn.Write(p)
}

var _ syscall.Conn = noticed{} // or go-redis cannot tell whether it is still open

// request does something with the client that is one request, and says what an
// error of it proves.
func (w *wire) request(readOnly bool, do func(*redis.Client) error) error {
	w.sent.Store(false)
	err := do(w.client)
	switch {
	case err == nil || errors.Is(err, redis.Nil) || errors.Is(err, fallacy.ErrFailed):
		return err
	case !w.sent.Load():
		return fmt.Errorf("%w: never sent: %w", fallacy.ErrFailed, err)
	case readOnly:
		return fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
	}
	return classify(err)
}

// role returns "master", "slave" or "sentinel".
func (w *wire) role(ctx context.Context) (string, error) {
	answer, err := w.client.Do(ctx, "ROLE").Slice()
	if err != nil {
		return "", err
	}
	return roleIn(answer)
}

func roleIn(answer []any) (string, error) {
	if len(answer) == 0 {
		return "", errors.New("the answer to ROLE is empty")
	}
	role, ok := answer[0].(string)
	if !ok {
		return "", fmt.Errorf("the answer to ROLE is %v", answer)
	}
	return role, nil
}

// watches returns nil once a Sentinel knows the other Sentinels and the replicas.
func (w *wire) watches(ctx context.Context) error {
	answer, err := w.client.Do(ctx, "SENTINEL", "MASTER", service).StringSlice()
	if err != nil {
		return err
	}
	known := make(map[string]string)
	for i := 0; i+1 < len(answer); i += 2 {
		known[answer[i]] = answer[i+1]
	}
	if known["num-other-sentinels"] != strconv.Itoa(sentinels-1) || known["num-slaves"] == "0" {
		return fmt.Errorf("it knows %s other Sentinels and %s replicas", known["num-other-sentinels"], known["num-slaves"])
	}
	return nil
}
