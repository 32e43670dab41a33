package docker

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"

	api "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// network is what a run's containers are connected by.
type network struct {
	id string
	// publish: its bridge is not on this machine, so clients may have to go
	// through published ports.
	publish bool
	// indirect: what is published is used even if the container itself is reached.
	indirect bool
}

// makeNetwork makes the run's network.
func (d *Dialer) makeNetwork(ctx context.Context) error {
	opts := client.NetworkCreateOptions{Driver: "bridge", Labels: d.labels}
	if d.opts.IPv6 {
		yes := true
		opts.EnableIPv6, opts.IPAM = &yes, &api.IPAM{Config: []api.IPAMConfig{{Subnet: uniqueLocal(d.run)}}}
	}
	made, err := d.docker.NetworkCreate(ctx, "fallacy-"+d.run, opts)
	if err != nil {
		return fmt.Errorf("make a network of containers: %w", err)
	}
	d.network.id = made.ID
	seen, err := d.docker.NetworkInspect(ctx, made.ID, client.NetworkInspectOptions{})
	if err != nil {
		return fmt.Errorf("look up the network of containers: %w", err)
	}
	d.network.publish = !slices.ContainsFunc(seen.Network.IPAM.Config, func(c api.IPAMConfig) bool { return isOwn(c.Gateway) })
	return nil
}

// uniqueLocal is a network of addresses that are nobody else's (RFC 4193).
func uniqueLocal(run string) netip.Prefix {
	sum := sha256.Sum256([]byte(run))
	addr := [16]byte{0xfd}
	copy(addr[1:8], sum[:])
	return netip.PrefixFrom(netip.AddrFrom16(addr), 64)
}

// isOwn tells whether addr is one of this machine's: then its bridge is here.
func isOwn(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil || !addr.IsValid() {
		return false
	}
	return slices.ContainsFunc(all, func(a net.Addr) bool {
		ip, ok := a.(*net.IPNet)
		return ok && ip.IP.Equal(addr.AsSlice())
	})
}

// firstPort is where the agent begins with the ports of a node that has to publish them.
const firstPort = 12_000

// published are the ports of a node that clients may need from outside: of the
// target, of the doors, of probes.
func (d *Dialer) published() (api.PortSet, api.PortMap) {
	if !d.network.publish {
		return nil, nil
	}
	set, all := make(api.PortSet), make(api.PortMap)
	for i := range 2*len(d.opts.Ports) + 2 {
		for _, proto := range []string{"tcp", "udp"} {
			p := api.MustParsePort(strconv.Itoa(firstPort+i) + "/" + proto)
			set[p] = struct{}{}
			all[p] = []api.PortBinding{{HostIP: netip.MustParseAddr("127.0.0.1")}}
		}
	}
	return set, all
}

// reachTimeout is how long an answer from a container's address may take.
const reachTimeout = 3 * time.Second

// reach finds out how clients reach the container: directly, or else through its
// published ports. A port where nobody listens refuses: whoever refuses can be reached.
func (n *node) reach(ctx context.Context, d *Dialer) error {
	seen, err := n.docker.ContainerInspect(ctx, n.id, client.ContainerInspectOptions{})
	if err != nil {
		return n.stream.complain(fmt.Errorf("look up the container's address: %w", err))
	}
	settings := seen.Container.NetworkSettings
	addr := netip.Addr{}
	for _, end := range settings.Networks {
		if addr = end.IPAddress; end.NetworkID == d.network.id && d.opts.IPv6 {
			addr = end.GlobalIPv6Address
		}
	}
	if !addr.IsValid() {
		return n.stream.complain(errors.New("the container has no address"))
	}
	direct := refuses(ctx, netip.AddrPortFrom(addr, 1).String())
	if direct == nil && !d.network.indirect {
		return nil
	}
	n.outside = make(map[string]string)
	for inside, bindings := range settings.Ports {
		for _, b := range bindings {
			n.outside[inside.String()] = net.JoinHostPort(b.HostIP.String(), b.HostPort)
		}
	}
	if len(n.outside) == 0 && direct != nil {
		return fmt.Errorf("the container's address %s is not reached from here, and Docker has published no port of it: %w", addr, direct)
	}
	return nil
}

func refuses(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err == nil {
		return conn.Close()
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return err
}

// Outside returns the address at which clients reach what listens at addr on
// the node called name, over network: "tcp" or "udp".
func (d *Dialer) Outside(name, network, addr string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, port, _ := net.SplitHostPort(addr)
	for _, n := range d.nodes {
		if out, ok := n.outside[port+"/"+network]; ok && n.name == name {
			return out
		}
	}
	return addr
}
