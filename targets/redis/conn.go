package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/redis/go-redis/v9"
)

// Conn is a client for one process. Where there are several servers, it begins at
// its own node and asks its way to the one that serves: in a Cluster it follows
// refusals that name another node, with Sentinel it asks Sentinels for the primary
// when its own node is none.
//
// An error wraps fallacy.ErrFailed if nothing happened and nothing will: nothing
// was sent, the server refused, or it was a read, which changes nothing.
type Conn struct {
	t     *target
	node  fallacy.Node
	wires map[string]*wire // by node
	main  *wire            // the primary, as far as is known; nil: to be found
	found time.Time        // when it was
	slots map[int]string   // of a Cluster: which node to ask, learned from refusals
	lock  lease
}

func newConn(t *target, n fallacy.Node) *Conn {
	return &Conn{t: t, node: n, wires: make(map[string]*wire), slots: make(map[int]string)}
}

// Close hangs up.
func (c *Conn) Close() error {
	for _, w := range c.wires {
		w.close()
	}
	clear(c.wires)
	return nil
}

func (c *Conn) wire(n fallacy.Node) *wire {
	if c.wires[n.Name] == nil {
		c.wires[n.Name] = newWire(n)
	}
	return c.wires[n.Name]
}

// restFor is how long a client rests that found nobody to talk to: without it the
// clients of nodes that are down would use up the rate of operations.
const restFor = 100 * time.Millisecond

func rest(ctx context.Context) {
	timer := time.NewTimer(restFor)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// request does what is one request about key with the node that serves it.
func (c *Conn) request(ctx context.Context, key string, readOnly bool, do func(*redis.Client) error) error {
	if c.t.name == clustered {
		return c.redirected(ctx, key, readOnly, do)
	}
	w, err := c.server(ctx)
	if err != nil {
		rest(ctx)
		return fmt.Errorf("%w: %w", fallacy.ErrFailed, err)
	}
	err = w.request(readOnly, do)
	if err != nil && !errors.Is(err, redis.Nil) && c.t.name == sentinel {
		c.main = nil
	}
	if errors.Is(err, fallacy.ErrFailed) && !w.sent.Load() {
		rest(ctx)
	}
	return err
}

// findAgain is after how long the primary is looked for again: clients that listen
// to Sentinels, as Redis's manual recommends, learn of a new one as soon.
const findAgain = time.Second

// server returns the server to ask: the node itself, or the primary.
func (c *Conn) server(ctx context.Context) (*wire, error) {
	if c.t.name != sentinel {
		return c.wire(c.node), nil
	}
	if c.main != nil && time.Since(c.found) < findAgain {
		return c.main, nil
	}
	primary, err := c.primary(ctx)
	if err != nil && c.main == nil {
		return nil, err
	}
	if err == nil {
		c.main = primary
	}
	c.found = time.Now()
	return c.main, nil
}

// primary finds the primary: the node itself if it says so, else who Sentinels say.
func (c *Conn) primary(ctx context.Context) (*wire, error) {
	own, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	role, err := c.wire(c.node).role(own)
	if err == nil && role == "master" {
		return c.wire(c.node), nil
	}
	if err == nil {
		err = fmt.Errorf("%s says that it is a %s", c.node.Name, role)
	}
	errs := []error{err}
	for _, s := range c.sentinels() {
		primary, err := c.ask(ctx, s)
		if err == nil {
			return c.wire(primary), nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// sentinels are all Sentinels, beginning with the node itself if it is one.
func (c *Conn) sentinels() []fallacy.Node {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	all := slices.Clone(c.t.cluster[len(c.t.cluster)-sentinels:])
	if i := indexOf(all, c.node.Name); i > 0 {
		all[0], all[i] = all[i], all[0]
	}
	return all
}

// askPatience is for one question of who is the primary.
const askPatience = 200 * time.Millisecond

// ask asks a Sentinel who is the primary.
func (c *Conn) ask(ctx context.Context, s fallacy.Node) (fallacy.Node, error) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	answer, err := c.wire(s).client.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", service).StringSlice()
	if err != nil {
		return fallacy.Node{}, fmt.Errorf("ask the Sentinel on %s for the primary: %w", s.Name, err)
	}
	if len(answer) != 2 {
		return fallacy.Node{}, fmt.Errorf("the Sentinel on %s says that %q is the primary", s.Name, answer)
	}
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.t.ways.node(net.JoinHostPort(answer[0], answer[1]), c.t.cluster)
}

// redirectsMax bounds how often a request is sent to another node.
const redirectsMax = 3

// redirected asks the node itself, or whoever was named before for the key's slot,
// and goes where a refusal points.
func (c *Conn) redirected(ctx context.Context, key string, readOnly bool, do func(*redis.Client) error) error {
	at, slot := c.node, slotOf(key)
	for redirect := 0; ; redirect++ {
		if name, ok := c.slots[slot]; ok {
			at = c.named(name)
		}
		w := c.wire(at)
		err := w.request(readOnly, do)
		if err == nil || errors.Is(err, redis.Nil) {
			return err
		}
		refusal := refusalOf(ctx, w, key, err)
		if !strings.HasPrefix(refusal, "MOVED ") || redirect == redirectsMax {
			delete(c.slots, slot) // it may have another node by now
			if !w.sent.Load() {
				rest(ctx)
			}
			return err
		}
		to, lost := c.moved(refusal)
		if lost != nil {
			return fmt.Errorf("%w: %w: %w", fallacy.ErrFailed, err, lost)
		}
		c.slots[slot] = to.Name
	}
}

// refusalOf returns in a server's words why it refused, empty if it did not.
func refusalOf(ctx context.Context, w *wire, key string, err error) string {
	var said redis.Error
	if !errors.As(err, &said) {
		return ""
	}
	if strings.HasPrefix(said.Error(), "EXECABORT ") {
		// Why a transaction was refused go-redis does not tell; a read by itself is refused likewise.
		if err := w.client.Do(ctx, "EXISTS", key).Err(); err != nil {
			return err.Error()
		}
	}
	return said.Error()
}

// moved returns the node that "MOVED slot host:port" names.
func (c *Conn) moved(text string) (fallacy.Node, error) {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	return c.t.ways.node(text[strings.LastIndexByte(text, ' ')+1:], c.t.cluster)
}

func (c *Conn) named(name string) fallacy.Node {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	if i := indexOf(c.t.cluster, name); i >= 0 {
		return c.t.cluster[i]
	}
	return c.node
}

// slotOf returns a key's slot in a Cluster: CRC-16 of the key, or of what is in its
// first braces.
func slotOf(key string) int {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			key = tag
		}
	}
	crc := uint16(0)
	for _, b := range []byte(key) {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc & 0x8000
			if crc <<= 1; carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return int(crc) % slots
}

func decimal(n int) string { return strconv.Itoa(n) }
