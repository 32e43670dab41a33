package etcd

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/internal/exchange"
)

// names are the members' addresses as etcd replicates them: the same on all
// nodes. Where each node has a way of its own to a peer, they are addresses that
// only the node's own SOCKS proxy knows, which etcd takes from its environment. No
// names in words: etcd 3.4 resolves those when a member is added.
type names struct {
	addr    map[string]string // by node: host:port; nil: not known yet
	proxied bool
	socks   map[string]*exchange.Socks // by node
}

// nowhere is the network of the addresses: reserved for documentation, so that
// nobody else answers for them (RFC 5737).
const nowhere = "192.0.2."

// learn decides how members are called.
func (s *names) learn(cluster []fallacy.Node) error {
	if s.addr != nil {
		return nil
	}
	addr := make(map[string]string)
	for _, m := range cluster {
		addr[m.Name] = m.Listen["peer"] // if nobody else calls it
		ways := make(map[string]bool)
		for _, n := range cluster {
			if n.Name == m.Name {
				continue
			}
			way := n.Peers[m.Name]["peer"]
			if way == "" {
				return fmt.Errorf("%s knows no way to the peer port of %s", n.Name, m.Name)
			}
			ways[way], addr[m.Name] = true, way
		}
		s.proxied = s.proxied || len(ways) > 1
	}
	for i, m := range cluster {
		if !s.proxied {
			break
		}
		if host, _, _ := net.SplitHostPort(m.Listen["peer"]); !net.ParseIP(host).IsLoopback() {
			return fmt.Errorf("nodes reach the peer port of %s at addresses of their own, which etcd cannot have, unless all are on this machine", m.Name)
		}
		addr[m.Name] = fmt.Sprintf("%s%d:2380", nowhere, i+1)
	}
	s.addr, s.socks = addr, make(map[string]*exchange.Socks)
	return nil
}

func (s *names) url(n fallacy.Node) string { return "http://" + s.addr[n.Name] }

func (s *names) initialCluster(cluster []fallacy.Node) string {
	var all []string
	for _, m := range cluster {
		all = append(all, m.Name+"="+s.url(m))
	}
	return strings.Join(all, ",")
}

// env is what n needs in its environment to reach its peers.
func (s *names) env(n fallacy.Node, cluster []fallacy.Node) ([]string, error) {
	if !s.proxied {
		return nil, nil
	}
	routes := make(map[string]string)
	for _, m := range cluster {
		routes[s.addr[m.Name]] = n.Peers[m.Name]["peer"]
	}
	routes[s.addr[n.Name]] = n.Listen["peer"]
	host, _, err := net.SplitHostPort(n.Listen["peer"])
	if err != nil {
		return nil, err
	}
	if s.socks[n.Name] == nil { // a member that comes back goes the same ways
		if s.socks[n.Name], err = exchange.NewSocks(host, routes); err != nil {
			return nil, err
		}
	}
	proxy := "socks5://" + s.socks[n.Name].Addr()
	return []string{"HTTP_PROXY=" + proxy, "http_proxy=" + proxy, "NO_PROXY=", "no_proxy="}, nil
}

func (s *names) close() error {
	var errs []error
	for _, one := range s.socks {
		errs = append(errs, one.Close())
	}
	s.socks = nil
	return errors.Join(errs...)
}
