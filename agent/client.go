package agent

import (
	"context"
	"fmt"
	"io"
	"net/rpc"
	"net/rpc/jsonrpc"

	"github.com/fallacy-dev/fallacy"
)

// Client is the controller's end of the stream to an agent. Its methods are the
// agent's; they may be called side by side.
type Client struct {
	node string
	rpc  *rpc.Client
}

// NewClient returns the end that talks to node's agent on stream.
func NewClient(node string, stream io.ReadWriteCloser) *Client {
	return &Client{node: node, rpc: jsonrpc.NewClient(stream)}
}

// Close ends the stream, which makes the agent heal its node and end.
func (c *Client) Close() error { return c.rpc.Close() }

// call calls the agent. When ctx is done first the answer is not waited for.
func (c *Client) call(ctx context.Context, method string, args, reply any) error {
	call := c.rpc.Go(serviceName+"."+method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		if call.Error != nil {
			return fmt.Errorf("%s: %w", c.node, call.Error)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: no answer to %s: %w", c.node, method, ctx.Err())
	}
}

// ask calls the agent for a reply of type R. After an error the reply is not
// looked at: the agent may still write to it.
func ask[R any](ctx context.Context, c *Client, method string, args any) (R, error) {
	reply := new(R)
	if err := c.call(ctx, method, args, reply); err != nil {
		var none R
		return none, err
	}
	return *reply, nil
}

// Hello introduces the agent to itself.
func (c *Client) Hello(ctx context.Context, h Hello) (Greeting, error) {
	return ask[Greeting](ctx, c, "Hello", h)
}

// Connect opens the links to the peers.
func (c *Client) Connect(ctx context.Context, r Routes) (Doors, error) {
	return ask[Doors](ctx, c, "Connect", r)
}

// Start starts the target.
func (c *Client) Start(ctx context.Context, p fallacy.Process) (Started, error) {
	return ask[Started](ctx, c, "Start", p)
}

// Replace has p run in the target's place, beginning with nothing.
func (c *Client) Replace(ctx context.Context, p fallacy.Process) error {
	_, err := ask[Nothing](ctx, c, "Replace", p)
	return err
}

// Apply makes s what is wrong with the node.
func (c *Client) Apply(ctx context.Context, s State) error {
	_, err := ask[Nothing](ctx, c, "Apply", s)
	return err
}

// Alive gives a sign of life.
func (c *Client) Alive(ctx context.Context) error {
	_, err := ask[Nothing](ctx, c, "Alive", Nothing{})
	return err
}

// Ping makes the agent probe its peers.
func (c *Client) Ping(ctx context.Context, p Ping) error {
	_, err := ask[Nothing](ctx, c, "Ping", p)
	return err
}

// Report asks how the node is.
func (c *Client) Report(ctx context.Context, l Look) (Report, error) {
	return ask[Report](ctx, c, "Report", l)
}

// Samples asks what the target used so far.
func (c *Client) Samples(ctx context.Context) (Samples, error) {
	return ask[Samples](ctx, c, "Samples", Nothing{})
}

// chunkMax is how much of a log is fetched at once.
const chunkMax = 512 << 10

// Logs lists the node's logs.
func (c *Client) Logs(ctx context.Context) ([]File, error) {
	return ask[[]File](ctx, c, "Logs", Nothing{})
}

// Fetch copies the log called name to w.
func (c *Client) Fetch(ctx context.Context, name string, w io.Writer) error {
	for offset := int64(0); ; {
		data, err := ask[[]byte](ctx, c, "Read", Chunk{Name: name, Offset: offset, Max: chunkMax})
		if err != nil {
			return fmt.Errorf("fetch %s: %w", name, err)
		}
		if len(data) == 0 {
			return nil
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		offset += int64(len(data))
	}
}
