package packet

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"golang.org/x/sys/unix"
)

const probePort, clientPort = 7000, 7001

func config(own, peer netip.Addr) Config {
	return Config{
		Name: "fallacy", Own: own, Peers: map[string]netip.Addr{"a": peer}, Ports: []uint16{clientPort}, Chance: fallacy.NewChance(7),
	}
}

// seen is what arrived of some datagrams that were numbered from 0.
type seen struct {
	distinct, repeated, overtaken int
	first, last                   time.Duration // after the first was sent
}

// burst sends count datagrams, and counts what arrives until the last was there,
// or nothing more comes.
func burst(t testing.TB, from, to *net.UDPConn, count int) (s seen) {
	t.Helper()
	began := time.Now()
	go func() {
		for i := range count {
			msg := make([]byte, 100)
			binary.BigEndian.PutUint32(msg, uint32(i))
			_, _ = from.WriteToUDP(msg, to.LocalAddr().(*net.UDPAddr))
		}
	}()
	got, highest, buf := make(map[uint32]bool), -1, make([]byte, 2000)
	for {
		quiet := 1500 * time.Millisecond // a busy machine takes its time
		if s.distinct == count {
			quiet = 300 * time.Millisecond
		}
		_ = to.SetReadDeadline(time.Now().Add(quiet))
		n, _, err := to.ReadFromUDP(buf)
		if err != nil || n < 4 {
			return s
		}
		i := binary.BigEndian.Uint32(buf)
		if got[i] {
			s.repeated++
			continue
		}
		got[i] = true
		s.last = time.Since(began)
		if s.distinct++; s.distinct == 1 {
			s.first = s.last
		}
		if int(i) < highest {
			s.overtaken++
		}
		highest = max(highest, int(i))
	}
}

// reached waits until something arrives: neighbours have to find each other first.
func reached(t *testing.T, from, to *net.UDPConn) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); burst(t, from, to, 1).distinct == 0; {
		if time.Now().After(deadline) {
			t.Fatal("nothing arrives on a link that nothing is wrong with")
		}
	}
}

func TestPacketsMeetTheirFate(t *testing.T) {
	const count = 1000
	for _, family := range []string{"IPv4", "IPv6"} {
		t.Run(family, func(t *testing.T) {
			if family == "IPv6" && testing.Short() {
				t.Skip("the same as with IPv4")
			}
			t.Parallel()
			w := newWire(t)
			own, peer := w.b.four, w.a.four
			if family == "IPv6" {
				own, peer = w.b.six, w.a.six
			}
			from, to := w.a.socket(t, peer, 0), w.b.socket(t, own, probePort)
			f := w.b.filter(t, config(own, peer))
			reached(t, from, to)
			about := func(name string, got int, share float64) {
				t.Helper()
				if want := share * count; float64(got) < want*0.7 || float64(got) > want*1.3 {
					t.Errorf("%s: %d of %d, want about %v", name, got, count, want)
				}
			}
			for _, c := range []struct {
				name string
				link fallacy.Link
				look func(s seen)
			}{
				{"open", fallacy.Link{}, func(s seen) { about("arrived", s.distinct, 1) }},
				{"cut", fallacy.Link{Cut: true}, func(s seen) { about("arrived", s.distinct, 0) }},
				{"reset", fallacy.Link{Reset: true}, func(s seen) { about("arrived", s.distinct, 0) }},
				{"stall", fallacy.Link{Stall: true}, func(s seen) { about("arrived", s.distinct, 0) }},
				{"loss", fallacy.Link{Loss: 0.3}, func(s seen) { about("arrived", s.distinct, 0.7) }},
				{"duplicate", fallacy.Link{Duplicate: 0.2}, func(s seen) { about("repeated", s.repeated, 0.2); about("arrived", s.distinct, 1) }},
				{"corrupt", fallacy.Link{Corrupt: 0.4}, func(s seen) { about("arrived", s.distinct, 0.6) }},
				{"reorder", fallacy.Link{Reorder: 0.2}, func(s seen) {
					about("arrived", s.distinct, 1)
					if s.overtaken < count/20 {
						t.Errorf("%d of %d were overtaken, want about a fifth", s.overtaken, count)
					}
				}},
				{"delay", fallacy.Link{Delay: 200 * time.Millisecond, Jitter: 50 * time.Millisecond}, func(s seen) {
					about("arrived", s.distinct, 1)
					if s.first < 200*time.Millisecond || s.overtaken > 0 {
						t.Errorf("the first arrives after %v, %d overtaken; want 200ms and none", s.first, s.overtaken)
					}
				}},
				{"rate", fallacy.Link{Rate: 200_000}, func(s seen) {
					if want := count * 100 * time.Second / 200_000; s.last < want {
						t.Errorf("the last arrives after %v, want at least %v", s.last, want)
					}
				}},
				{"delay and loss", fallacy.Link{Delay: 50 * time.Millisecond, Loss: 0.5}, func(s seen) {
					about("arrived", s.distinct, 0.5)
					if s.first < 50*time.Millisecond {
						t.Errorf("the first arrives after %v, want 50ms", s.first)
					}
				}},
				{"healed", fallacy.Link{}, func(s seen) { about("arrived", s.distinct, 1) }},
			} {
				t.Run(c.name, func(t *testing.T) {
					w.b.set(t, f, State{In: map[string]fallacy.Link{"a": c.link}})
					c.look(burst(t, from, to, count))
				})
			}
		})
	}
}

// Clients are who is no peer, at the ports that the target serves them.
func TestClientsHaveLinksOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	cfg := config(w.b.four, netip.MustParseAddr("10.99.0.77"))
	f := w.b.filter(t, cfg)
	client, server, other := w.a.socket(t, w.a.four, 5000), w.b.socket(t, w.b.four, clientPort), w.b.socket(t, w.b.four, clientPort+1)
	reached(t, client, server)
	for _, c := range []struct {
		name             string
		state            State
		there, back, too int
	}{
		{"open", State{}, 10, 10, 10},
		{"cut from clients", State{In: map[string]fallacy.Link{fallacy.Clients: {Cut: true}}}, 0, 10, 10},
		{"cut to clients", State{ToClients: fallacy.Link{Cut: true}}, 10, 0, 10},
		{"twice to clients", State{ToClients: fallacy.Link{Duplicate: 1}}, 10, 20, 10},
	} {
		w.b.set(t, f, c.state)
		there := burst(t, client, server, 10)
		back := burst(t, server, client, 10)
		too := burst(t, client, other, 10)
		if there.distinct != c.there || back.distinct+back.repeated != c.back || too.distinct != c.too {
			t.Errorf("%s: %d arrive there, %d back, %d at another port; want %d, %d, %d", c.name, there.distinct, back.distinct+back.repeated, too.distinct, c.there, c.back, c.too)
		}
	}
}

// dial connects from a to b.
func dial(t *testing.T, w wire, timeout time.Duration) (c net.Conn, err error) {
	t.Helper()
	w.a.within(t, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		addr := net.JoinHostPort(w.b.four.String(), strconv.Itoa(clientPort))
		c, err = (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		return nil
	})
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// echo tells whether a connection carries something there and back.
func echo(c net.Conn, patience time.Duration) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	_, err := c.Read(make([]byte, 1))
	return err
}

func TestConnections(t *testing.T) {
	t.Parallel()
	w := newWire(t)
	var l net.Listener
	w.b.within(t, func() (err error) {
		l, err = net.Listen("tcp", net.JoinHostPort(w.b.four.String(), strconv.Itoa(clientPort)))
		return err
	})
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for buf := make([]byte, 1); ; {
					if _, err := c.Read(buf); err != nil {
						return
					}
					if _, err := c.Write(buf); err != nil {
						return
					}
				}
			}()
		}
	}()
	f := w.b.filter(t, config(w.b.four, w.a.four))
	link := func(l fallacy.Link) { w.b.set(t, f, State{In: map[string]fallacy.Link{"a": l}}) }
	open := func() net.Conn {
		c, err := dial(t, w, 30*time.Second)
		if err == nil {
			err = echo(c, 30*time.Second)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	old := open()
	link(fallacy.Link{Cut: true})
	if err := echo(old, 300*time.Millisecond); err == nil {
		t.Error("a connection that was there before goes on across a cut")
	}
	if _, err := dial(t, w, 300*time.Millisecond); err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Errorf("a new connection across a cut: %v, want a timeout, as behind a firewall", err)
	}
	link(fallacy.Link{})
	_ = old.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := old.Read(make([]byte, 1)); err != nil { // what was sent during the cut
		t.Errorf("after the heal: %v", err)
	}
	link(fallacy.Link{Reset: true})
	if err := echo(old, 30*time.Second); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("a connection under reset: %v", err)
	}
	if _, err := dial(t, w, 30*time.Second); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("a new connection under reset: %v", err)
	}
	link(fallacy.Link{})
	stalled := open()
	link(fallacy.Link{Stall: true})
	if err := echo(stalled, 300*time.Millisecond); err == nil {
		t.Error("a connection goes on under stall")
	}
	link(fallacy.Link{})
	open()
	if err := echo(stalled, time.Second); err == nil {
		t.Error("a stalled connection came back to life")
	}
}

func rules(t *testing.T, s side) string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", s.ns, "nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		needed(t, "nft", fmt.Errorf("%w: %s", err, out))
	}
	return string(out)
}

func TestNothingIsLeftBehind(t *testing.T) {
	w := newWire(t)
	var f *Filter
	w.b.within(t, func() (err error) {
		f, err = Open(config(w.b.four, w.a.four))
		return err
	})
	w.b.set(t, f, State{In: map[string]fallacy.Link{"a": {Cut: true}}})
	if got := rules(t, w.b); !strings.Contains(got, "table ip fallacy") || !strings.Contains(got, "drop") {
		t.Errorf("the test is blind: %s", got)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if got := rules(t, w.b); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

func TestSupported(t *testing.T) {
	w := newWire(t)
	w.a.within(t, Supported)
	if got := rules(t, w.a); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

func TestWithoutTheCapability(t *testing.T) {
	w := newWire(t)
	w.a.within(t, func() error { // on a thread that ends with it
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var sets [2]unix.CapUserData
		if err := unix.Capget(&head, &sets[0]); err != nil {
			return err
		}
		for i := range sets {
			sets[i] = unix.CapUserData{}
		}
		if err := unix.Capset(&head, &sets[0]); err != nil {
			return err
		}
		if err := Supported(); err == nil || err.Error() != "the capability NET_ADMIN is missing" {
			t.Errorf("got %v, want what is missing", err)
		}
		return nil
	})
}
