package link

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// pair is a peer that answers each line with itself, behind a door.
type pair struct {
	out, in *Gate
	proxy   *Proxy
}

func newPair(t *testing.T) pair {
	t.Helper()
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close() })
	go func() {
		for {
			c, err := peer.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	p := pair{out: NewGate(), in: NewGate()}
	p.proxy, err = Listen("127.0.0.1:0", peer.Addr().String(), p.out, p.in, fallacy.NewChance(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.proxy.Close() })
	return p
}

// caller is a connection through the door.
type caller struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (p pair) dial(t *testing.T) caller {
	t.Helper()
	c, err := net.Dial("tcp", p.proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return caller{t, c, bufio.NewReader(c)}
}

func (c caller) send(line string) { fmt.Fprintln(c, line) }

// hear returns the next line, or the error that came instead of it in time.
func (c caller) hear(within time.Duration) (string, error) {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(within))
	line, err := c.r.ReadString('\n')
	return strings.TrimSpace(line), err
}

func (c caller) want(line string) {
	c.t.Helper()
	if got, err := c.hear(5 * time.Second); err != nil || got != line {
		c.t.Fatalf("heard %q, %v; want %q", got, err, line)
	}
}

const silence = 60 * time.Millisecond

func (c caller) wantSilence() {
	c.t.Helper()
	if got, err := c.hear(silence); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("heard %q, %v; want nothing", got, err)
	}
}

func (c caller) wantReset() {
	c.t.Helper()
	if got, err := c.hear(5 * time.Second); !errors.Is(err, syscall.ECONNRESET) {
		c.t.Fatalf("heard %q, %v; want a reset", got, err)
	}
}

// wantRefused dials and wants a reset, which may come while the dialler still
// waits for its connection.
func wantRefused(t *testing.T, p *Proxy) {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err == nil {
		defer c.Close()
		caller{t, c, bufio.NewReader(c)}.wantReset()
	} else if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

func TestOpen(t *testing.T) {
	c := newPair(t).dial(t)
	c.send("a")
	c.want("a")
	c.Conn.(*net.TCPConn).CloseWrite()
	if got, err := c.hear(time.Second); err != io.EOF {
		t.Fatalf("after the farewell: heard %q, %v", got, err)
	}
}

func TestCutHoldsBackUntilHealed(t *testing.T) {
	for name, gate := range map[string]func(pair) *Gate{
		"there": func(p pair) *Gate { return p.out },
		"back":  func(p pair) *Gate { return p.in },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			old := p.dial(t)
			old.send("before")
			old.want("before")
			gate(p).Set(fallacy.Link{Cut: true})
			old.send("during")
			fresh := p.dial(t)
			fresh.send("fresh")
			old.wantSilence()
			fresh.wantSilence()
			gate(p).Set(fallacy.Link{})
			old.want("during")
			fresh.want("fresh")
		})
	}
}

func TestResetBreaksOldAndNew(t *testing.T) {
	p := newPair(t)
	old := p.dial(t)
	old.send("a")
	old.want("a")
	p.in.Set(fallacy.Link{Reset: true})
	old.wantReset()
	wantRefused(t, p.proxy)
	p.in.Set(fallacy.Link{})
	c := p.dial(t)
	c.send("b")
	c.want("b")
}

func TestStalledConnectionsStayDead(t *testing.T) {
	p := newPair(t)
	old := p.dial(t)
	old.send("a")
	old.want("a")
	p.out.Set(fallacy.Link{Stall: true})
	old.send("lost")
	fresh := p.dial(t)
	fresh.send("lost")
	old.wantSilence()
	fresh.wantSilence()
	p.out.Set(fallacy.Link{})
	old.send("lost too")
	old.wantSilence()
	fresh.wantSilence()
	c := p.dial(t)
	c.send("b")
	c.want("b")
}

func TestDelayAndRate(t *testing.T) {
	p := newPair(t)
	c := p.dial(t)
	c.send("warm")
	c.want("warm")
	p.out.Set(fallacy.Link{Delay: 80 * time.Millisecond, Jitter: 10 * time.Millisecond})
	began := time.Now()
	c.send("a")
	c.send("b")
	c.want("a")
	c.want("b")
	if took := time.Since(began); took < 80*time.Millisecond {
		t.Errorf("came back after %v, want at least 80 ms", took)
	}
	p.out.Set(fallacy.Link{Rate: 10_000})
	began = time.Now()
	c.send(strings.Repeat("x", 1000))
	c.want(strings.Repeat("x", 1000))
	if took := time.Since(began); took < 90*time.Millisecond {
		t.Errorf("1001 bytes at 10,000 a second came back after %v, want 100 ms", took)
	}
}

func TestJitterKeepsOrder(t *testing.T) {
	rng := fallacy.NewChance(3).Rand()
	now := time.Unix(0, 0)
	var last time.Time
	for i := range 1000 {
		at := arrival(now.Add(time.Duration(i)*time.Millisecond), last, 10, fallacy.Link{Delay: time.Millisecond, Jitter: 50 * time.Millisecond}, rng)
		if at.Before(last) {
			t.Fatalf("chunk %d arrives at %v, before the one sent earlier at %v", i, at, last)
		}
		last = at
	}
}

func TestCloseDuringACutLeavesNothing(t *testing.T) {
	p := newPair(t)
	old := p.dial(t)
	old.send("a")
	old.want("a")
	p.out.Set(fallacy.Link{Cut: true})
	old.send("b")
	fresh := p.dial(t)
	closed := make(chan error, 1)
	go func() { closed <- p.proxy.Close() }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("Close hangs while the link is cut")
	}
	old.wantReset()
	fresh.wantReset()
}

func TestPeerThatIsDown(t *testing.T) {
	p, err := Listen("127.0.0.1:0", "127.0.0.1:1", NewGate(), NewGate(), fallacy.NewChance(1))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	wantRefused(t, p)
}
