package packet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// wire is two network namespaces and a cable between them.
type wire struct{ a, b side }

// side is an end of a wire.
type side struct {
	ns        string
	four, six netip.Addr
}

var wires atomic.Int32

// newWire makes a wire; it needs root and ip.
func newWire(t testing.TB) wire {
	t.Helper()
	if os.Getuid() != 0 {
		needed(t, "root", errors.New("only root makes network namespaces"))
	}
	if _, err := exec.LookPath("ip"); err != nil {
		needed(t, "root", err)
	}
	n := wires.Add(1)
	name := fmt.Sprintf("fallacy-%d-%d", os.Getpid(), n)
	w := wire{
		side{name + "-a", netip.MustParseAddr("10.99.0.1"), netip.MustParseAddr("fd99::1")},
		side{name + "-b", netip.MustParseAddr("10.99.0.2"), netip.MustParseAddr("fd99::2")},
	}
	t.Cleanup(func() {
		for _, s := range []side{w.a, w.b} {
			_ = exec.Command("ip", "netns", "del", s.ns).Run() // it may not be there yet
		}
	})
	ip(t, "netns add "+w.a.ns)
	ip(t, "netns add "+w.b.ns)
	ip(t, "link add eth0 netns "+w.a.ns+" type veth peer name eth0 netns "+w.b.ns)
	for _, s := range []side{w.a, w.b} {
		ip(t, "-n "+s.ns+" addr add "+s.four.String()+"/24 dev eth0")
		ip(t, "-n "+s.ns+" addr add "+s.six.String()+"/64 dev eth0 nodad")
		ip(t, "-n "+s.ns+" link set lo up")
		ip(t, "-n "+s.ns+" link set eth0 up")
	}
	return w
}

func needed(t testing.TB, what string, why error) {
	t.Helper()
	if strings.Contains(os.Getenv("FALLACY_REQUIRE"), what) {
		t.Fatalf("FALLACY_REQUIRE asks for %s: %v", what, why)
	}
	t.Skipf("NOT TESTED: %v", why)
}

func ip(t testing.TB, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// within does something in the side's namespace; sockets made there stay there.
func (s side) within(t testing.TB, do func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		fd, err := unix.Open("/run/netns/"+s.ns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			_ = unix.Close(fd)
		}
		if err == nil {
			err = do()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatalf("in %s: %v", s.ns, err)
	}
}

// socket listens for UDP in the side's namespace.
func (s side) socket(t testing.TB, addr netip.Addr, port uint16) *net.UDPConn {
	t.Helper()
	var c *net.UDPConn
	s.within(t, func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, port)))
		return err
	})
	_ = c.SetReadBuffer(8 << 20)
	t.Cleanup(func() { c.Close() })
	return c
}

// filter opens a filter in the side's namespace.
func (s side) filter(t testing.TB, cfg Config) *Filter {
	t.Helper()
	var f *Filter
	s.within(t, func() (err error) {
		f, err = Open(cfg)
		return err
	})
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (s side) set(t testing.TB, f *Filter, state State) {
	t.Helper()
	s.within(t, func() error { return f.Set(state) })
}
