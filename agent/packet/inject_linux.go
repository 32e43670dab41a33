package packet

import (
	"fmt"
	"math/rand/v2"
	"net/netip"

	"golang.org/x/sys/unix"
)

// injector sends whole IP packets, marked so that they are not decided about again.
type injector struct {
	fd  int
	own netip.Addr // where they go; invalid: where they say
	six bool
}

func openInjector(own netip.Addr, six bool) (*injector, error) {
	i := &injector{own: own, six: six}
	return i, i.open()
}

func (i *injector) open() error {
	family := unix.AF_INET
	if i.six {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_RAW)
	if err != nil {
		return fmt.Errorf("send packets twice: %w", err)
	}
	i.fd = fd
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, mark); err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("mark packets: %w", err)
	}
	return nil
}

// send sends a packet once more. One that the system has no room for is lost, as
// duplicates may be.
func (i *injector) send(packet []byte) {
	var to unix.Sockaddr
	switch {
	case i.six && len(packet) >= 40:
		addr := unix.SockaddrInet6{Addr: [16]byte(packet[24:40])}
		if i.own.IsValid() {
			addr.Addr = i.own.As16()
		}
		to = &addr
	case !i.six && len(packet) >= 20:
		addr := unix.SockaddrInet4{Addr: [4]byte(packet[16:20])}
		if i.own.IsValid() {
			addr.Addr = i.own.As4()
		}
		to = &addr
	default:
		return
	}
	_ = unix.Sendto(i.fd, packet, 0, to)
}

func (i *injector) close() error { return unix.Close(i.fd) }

// flip returns a packet with one bit behind its IP header flipped.
func flip(packet []byte, rng *rand.Rand) []byte {
	if len(packet) == 0 {
		return nil
	}
	head := 40
	if packet[0]>>4 == 4 {
		head = int(packet[0]&0xf) * 4
	}
	if len(packet) <= head {
		return nil
	}
	flipped := append([]byte(nil), packet...)
	bit := rng.IntN(8 * (len(packet) - head))
	flipped[head+bit/8] ^= 1 << (bit % 8)
	return flipped
}
