package agent

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// withoutChecksums makes what is sent on c carry no checksum, and what is
// received need none.
func withoutChecksums(c *net.UDPConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
		for _, option := range []int{unix.UDP_NO_CHECK6_TX, unix.UDP_NO_CHECK6_RX} {
			// A socket of IPv4 knows nothing of these.
			if err := unix.SetsockoptInt(int(fd), unix.SOL_UDP, option, 1); err != nil && !errors.Is(err, unix.ENOPROTOOPT) {
				set = errors.Join(set, err)
			}
		}
	})
	return errors.Join(err, set)
}
