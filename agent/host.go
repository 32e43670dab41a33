package agent

import (
	"errors"
	"fmt"
	"net"
)

// HostAuto as [Options.Host] stands for the node's own address.
const HostAuto = "auto"

// ownAddress returns the first address of this machine that others can reach it at.
func ownAddress() (string, error) {
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
			return ip.IP.String(), nil
		case second == "":
			second = ip.IP.String()
		}
	}
	if second == "" {
		return "", errors.New("find the node's own address: it has none but the loopback's")
	}
	return second, nil
}
