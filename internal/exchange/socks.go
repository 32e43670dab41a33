package exchange

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// Socks is a SOCKS 5 proxy (RFC 1928) for one node, without authentication, that
// connects to the addresses it knows and to no others.
type Socks struct{ *switchboard }

// greetPatience is how long a caller gets to say where to.
const greetPatience = 10 * time.Second

// NewSocks opens a proxy on a port of host. Routes is the address to connect to
// for each host:port that may be asked for.
func NewSocks(host string, routes map[string]string) (*Socks, error) {
	s, err := open(net.JoinHostPort(host, "0"), func(near net.Conn) (string, error) {
		_ = near.SetDeadline(time.Now().Add(greetPatience))
		asked, err := greet(near)
		if err != nil {
			return "", err
		}
		to, known := routes[asked]
		code := byte(0)
		if !known {
			code = socksUnreachable
		}
		// The address bound is nobody's business; IPv4 and zeros is what all understand.
		if _, err := near.Write([]byte{socksVersion, code, 0, socksIPv4, 0, 0, 0, 0, 0, 0}); err != nil {
			return "", err
		}
		if !known {
			return "", fmt.Errorf("no way to %s", asked)
		}
		return to, near.SetDeadline(time.Time{})
	})
	if err != nil {
		return nil, fmt.Errorf("open a SOCKS proxy: %w", err)
	}
	return &Socks{s}, nil
}

// What RFC 1928 says.
const (
	socksVersion     = 5
	socksConnect     = 1
	socksIPv4        = 1
	socksName        = 3
	socksIPv6        = 4
	socksUnreachable = 4
)

// greet hears what a caller wants and returns the host:port.
func greet(c io.ReadWriter) (string, error) {
	var head [4]byte
	if _, err := io.ReadFull(c, head[:2]); err != nil {
		return "", err
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(c, methods); err != nil {
		return "", err
	}
	if head[0] != socksVersion {
		return "", errors.New("that is no SOCKS 5")
	}
	if _, err := c.Write([]byte{socksVersion, 0}); err != nil {
		return "", err
	}
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return "", err
	}
	if head[1] != socksConnect {
		return "", fmt.Errorf("SOCKS command %d, want CONNECT", head[1])
	}
	host, err := readHost(c, head[3])
	if err != nil {
		return "", err
	}
	var port [2]byte
	if _, err := io.ReadFull(c, port[:]); err != nil {
		return "", err
	}
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port[:])))), nil
}

func readHost(r io.Reader, kind byte) (string, error) {
	size := map[byte]int{socksIPv4: net.IPv4len, socksIPv6: net.IPv6len}[kind]
	if kind == socksName {
		var length [1]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return "", err
		}
		size = int(length[0])
	}
	if size == 0 {
		return "", fmt.Errorf("SOCKS address of kind %d", kind)
	}
	host := make([]byte, size)
	if _, err := io.ReadFull(r, host); err != nil {
		return "", err
	}
	if kind == socksName {
		return string(host), nil
	}
	return net.IP(host).String(), nil
}
