package exchange

import (
	"fmt"
	"net"
)

// Line is an address of a member that is the same for all callers. By the
// address that a caller calls from it tells which door to go on through.
type Line struct{ *switchboard }

// NewLine opens a line on a port of host. Routes is the address to go on to for
// each address, without port, that a call may come from.
func NewLine(host string, routes map[string]string) (*Line, error) {
	s, err := open(net.JoinHostPort(host, "0"), func(near net.Conn) (string, error) {
		from, _, err := net.SplitHostPort(near.RemoteAddr().String())
		if err != nil {
			return "", err
		}
		to, known := routes[from]
		if !known {
			return "", fmt.Errorf("a call from %s, who is nobody", from)
		}
		return to, nil
	})
	if err != nil {
		return nil, fmt.Errorf("open a line: %w", err)
	}
	return &Line{s}, nil
}
