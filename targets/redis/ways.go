package redis

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/internal/exchange"
)

// ways are the addresses that nodes tell each other: one for each node and port.
// Where every node has a way of its own to a peer, they are lines of an exchange,
// and a node calls from an address that is its own.
type ways struct {
	addr  map[string]map[string]string // by node and port; nil: not known yet
	from  map[string]string            // by node: the address it calls from; empty: any
	lines []*exchange.Line
}

// learn decides which addresses nodes tell each other.
func (w *ways) learn(cluster []fallacy.Node, ports []string) error {
	if w.addr != nil {
		return nil
	}
	addr, distinct := make(map[string]map[string]string), false
	for _, m := range cluster {
		addr[m.Name] = make(map[string]string)
		for _, port := range ports {
			one, same, err := known(m, port, cluster)
			if err != nil {
				return err
			}
			addr[m.Name][port] = one
			distinct = distinct || !same
		}
	}
	w.addr, w.from = addr, make(map[string]string)
	if !distinct {
		return nil
	}
	if err := w.connect(cluster, ports); err != nil {
		return errors.Join(err, w.close())
	}
	return nil
}

// known returns the address at which all others reach a port of m, and whether
// there is one such address.
func known(m fallacy.Node, port string, cluster []fallacy.Node) (addr string, same bool, err error) {
	addr, same = m.Listen[port], true
	for _, n := range cluster {
		if n.Name == m.Name {
			continue
		}
		way := n.Peers[m.Name][port]
		if way == "" {
			return "", false, fmt.Errorf("%s knows no way to the %s port of %s", n.Name, port, m.Name)
		}
		same = same && way == m.Listen[port]
	}
	return addr, same, nil
}

// connect opens a line for every port of every node.
func (w *ways) connect(cluster []fallacy.Node, ports []string) error {
	for i, n := range cluster {
		w.from[n.Name] = fmt.Sprintf("127.77.0.%d", i+1)
	}
	for _, m := range cluster {
		for _, port := range ports {
			host, _, err := net.SplitHostPort(m.Listen[port])
			if err != nil {
				return err
			}
			if !net.ParseIP(host).IsLoopback() {
				return fmt.Errorf("nodes reach the %s port of %s at addresses of their own, which Redis cannot have, unless all are on this machine", port, m.Name)
			}
			routes := make(map[string]string)
			for _, n := range cluster {
				if routes[w.from[n.Name]] = n.Peers[m.Name][port]; n.Name == m.Name {
					routes[w.from[n.Name]] = m.Listen[port]
				}
			}
			line, err := exchange.NewLine("127.0.0.1", routes)
			if err != nil {
				return err
			}
			w.lines = append(w.lines, line)
			w.addr[m.Name][port] = line.Addr()
		}
	}
	return nil
}

// node returns the node that others know by the address addr of its client port.
func (w *ways) node(addr string, cluster []fallacy.Node) (fallacy.Node, error) {
	for _, m := range cluster {
		if w.addr[m.Name]["client"] == addr {
			return m, nil
		}
	}
	return fallacy.Node{}, fmt.Errorf("nobody has the address %s", addr)
}

func (w *ways) close() error {
	var errs []error
	for _, l := range w.lines {
		errs = append(errs, l.Close())
	}
	w.lines = nil
	return errors.Join(errs...)
}

// split returns host and port of an address that is known to be one.
func split(addr string) (host string, port int) {
	host, text, _ := net.SplitHostPort(addr)
	port, _ = strconv.Atoi(text)
	return host, port
}
