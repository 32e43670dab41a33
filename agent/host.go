package agent

import (
	"errors"
	"fmt"
	"net"
)

// HostAuto as [Options.Host] stands for the node's own address, HostAuto6 for its
// own of IPv6.
const (
	HostAuto  = "auto"
	HostAuto6 = "auto6"
)

// ownAddress returns the first address of this machine that others can reach it
// at, one of IPv4 if it may be.
func ownAddress(four bool) (string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("find the node's own address: %w", err)
	}
	second := ""
	for _, a := range all {
		ip, ok := a.(*net.IPNet)
		switch {
		case !ok || !ip.IP.IsGlobalUnicast():
		case ip.IP.To4() != nil:
			if four {
				return ip.IP.String(), nil
			}
		case second == "":
			second = ip.IP.String()
		}
	}
	if second == "" {
		return "", errors.New("find the node's own address: it has none but the loopback's, or none of IPv6")
	}
	return second, nil
}
