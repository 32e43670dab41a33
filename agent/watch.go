package agent

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent/packet"
)

// noPackets tells why packets cannot be acted on here; empty: they can.
func (a *Agent) noPackets() string {
	switch own, err := netip.ParseAddr(a.opts.Host); {
	case !a.opts.Packets:
		return "nodes share the network of their machine, which is left alone; each has one of its own with --on docker"
	case err != nil:
		return text(err)
	case own.IsLoopback():
		return "it is reached by the loopback, which is left alone"
	}
	return text(packet.Supported())
}

// watch opens the filter that faults on links are made by.
func (a *Agent) watch(r Routes) (Doors, error) {
	own, err := netip.ParseAddr(a.opts.Host)
	if err != nil {
		return Doors{}, fmt.Errorf("the node's own address: %w", err)
	}
	cfg := packet.Config{
		Name: "fallacy-" + strconv.Itoa(os.Getpid()), Own: own.Unmap(), Peers: make(map[string]netip.Addr),
		Chance: fallacy.NewChance(a.hello.Seed).At("packet").At(a.hello.Node),
	}
	for peer, ports := range r.Peers {
		addr, err := netip.ParseAddrPort(ports[Probe])
		if err != nil {
			return Doors{}, fmt.Errorf("the address of %s: %w", peer, err)
		}
		cfg.Peers[peer] = addr.Addr().Unmap()
		a.probes.Route(peer, ports[Probe])
	}
	for port, at := range a.listen {
		addr, err := netip.ParseAddrPort(at)
		if err != nil {
			return Doors{}, fmt.Errorf("the address of port %s: %w", port, err)
		}
		cfg.Ports = append(cfg.Ports, addr.Port())
	}
	if err := a.probes.Datagrams(); err != nil {
		return Doors{}, err
	}
	if a.filter, err = packet.Open(cfg); err != nil {
		return Doors{}, err
	}
	return Doors{Peers: r.Peers, Public: a.listen}, nil
}
