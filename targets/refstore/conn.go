package refstore

import (
	"bufio"
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Conn is a client of one node, for one process: one request at a time, over one connection of its own.
// It speaks HTTP by hand, because net/http's client keeps idle connections and may send a request twice,
// and then an error proves less than it could.
//
// An error wraps fallacy.ErrFailed if nothing happened and nothing will: the node refused, could not be
// reached, or says that it proposed nothing; and whenever the request was a read, which changes nothing.
type Conn struct {
	addr   string
	client string
	seq    uint64
	tcp    net.Conn // nil: to be dialled
	in     *bufio.Reader
}

// patience bounds a call whose context has no deadline.
const patience = 5 * time.Second

// lockTTL is for how long Acquire asks.
const lockTTL = 500 * time.Millisecond

func newConn(addr string) *Conn {
	return &Conn{addr: addr, client: crand.Text()}
}

// Close hangs up.
func (c *Conn) Close() error {
	if c.tcp == nil {
		return nil
	}
	tcp := c.tcp
	c.tcp, c.in = nil, nil
	return tcp.Close()
}

// call sends q and returns the result, which is meaningful with a nil error and with a refusal.
func (c *Conn) call(ctx context.Context, q Request) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.connect(ctx); err != nil {
		rest(ctx)
		return Result{}, fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
	}
	c.seq++
	q.Client, q.Seq = c.client, c.seq
	body, err := json.Marshal(q)
	if err != nil {
		return Result{}, fmt.Errorf("%w: encode request: %w", fallacy.ErrFailed, err)
	}
	status, answer, err := c.exchange(ctx, "POST", "/v1/"+q.Op, body)
	if err == nil {
		var result Result
		if result, err = judge(status, answer); err == nil || errors.Is(err, fallacy.ErrFailed) {
			return result, err
		}
	}
	if q.ReadOnly() {
		err = fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
	}
	return Result{}, err
}

// restFor is how long a client rests after it found nobody to talk to: without it, the clients of nodes
// that are down would use up the rate of operations with failures.
const restFor = 100 * time.Millisecond

func rest(ctx context.Context) {
	timer := time.NewTimer(restFor)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// judge turns an answer into a result and what may be concluded from it.
func judge(status int, answer []byte) (Result, error) {
	var result Result
	switch status {
	case statuses[Done], statuses[Refused]:
		if err := json.Unmarshal(answer, &result); err != nil {
			return Result{}, fmt.Errorf("read answer: %w", err)
		}
		if status == statuses[Refused] {
			return result, fmt.Errorf("%w: %s", fallacy.ErrFailed, result.Refused)
		}
		return result, nil
	}
	var form errorForm
	if err := json.Unmarshal(answer, &form); err != nil {
		form.Error = string(answer)
	}
	if status == statuses[Unavailable] || status == statuses[Invalid] {
		return result, fmt.Errorf("%w: %s (%d)", fallacy.ErrFailed, form.Error, status)
	}
	return result, fmt.Errorf("%s (%d)", form.Error, status)
}

// connect dials if there is no connection, or only one that the node has closed. It asks for a sign of
// life before it trusts a new connection: a proxy between us and the node accepts in the name of a node
// that is down, and what fails now has certainly not happened.
func (c *Conn) connect(ctx context.Context) error {
	if c.tcp != nil && alive(c.tcp) {
		return nil
	}
	_ = c.Close() // it is of no use any more
	var dialer net.Dialer
	tcp, err := dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	c.tcp, c.in = tcp, bufio.NewReader(tcp)
	if _, _, err := c.exchange(ctx, "GET", "/v1/ping", nil); err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	if c.tcp == nil { // the answer came with the last of the time, which has ended the connection
		return fmt.Errorf("greet: %w", context.DeadlineExceeded)
	}
	return nil
}

// alive says whether an idle connection is still open, as far as this end knows.
func alive(tcp net.Conn) bool {
	sys, ok := tcp.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		// Anything but "nothing to read yet" is the end, or an answer that nobody asked for.
		open = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && open
}

// exchange does one HTTP request. After an error the connection is closed: the answer to this request
// must not be taken for the answer to the next.
func (c *Conn) exchange(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	tcp := c.tcp
	stop := context.AfterFunc(ctx, func() { _ = tcp.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() || err != nil {
			_ = c.Close()
		}
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}()
	var out bytes.Buffer
	out.WriteString(method + " " + path + " HTTP/1.1\r\nHost: " + c.addr + "\r\n")
	out.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n")
	out.Write(body)
	if _, err := tcp.Write(out.Bytes()); err != nil {
		return 0, nil, fmt.Errorf("send: %w", err)
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("receive: %w", err)
	}
	answer, err = io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return 0, nil, fmt.Errorf("receive: %w", err)
	}
	return response.StatusCode, answer, nil
}
