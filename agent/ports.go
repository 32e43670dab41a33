package agent

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Ports for targets come from below the range that systems give to outgoing
// connections, for a target that was killed must find its port free again.
const (
	firstPort = 12_000
	lastPort  = 29_999
)

// ports are reserved on one host for as long as the agent lives.
type ports struct {
	host  string
	first int // 0: anywhere
	locks []*os.File
}

// reserve finds a free port for each name, and returns the addresses. A file
// that is locked keeps other agents of this user away from a port while the
// target that listens there is down. Agents start at different places, so that
// two of them rarely want the same.
func (p *ports) reserve(names []string) (map[string]string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("fallacy-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("reserve ports: %w", err)
	}
	addrs := make(map[string]string)
	port := p.first
	if port == 0 {
		port = firstPort + os.Getpid()*61%(lastPort-firstPort)
	}
	for _, name := range names {
		for tries := 0; addrs[name] == ""; tries++ {
			if tries > lastPort-firstPort {
				return nil, fmt.Errorf("no port is free on %s for %q between %d and %d", p.host, name, firstPort, lastPort)
			}
			addr := net.JoinHostPort(p.host, strconv.Itoa(port))
			if p.lock(filepath.Join(dir, strconv.Itoa(port))) && free(addr) {
				addrs[name] = addr
			}
			if port++; port > lastPort {
				port = firstPort
			}
		}
	}
	return addrs, nil
}

func (p *ports) lock(path string) bool {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return false
	}
	p.locks = append(p.locks, f)
	return true
}

func free(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// release gives the ports back.
func (p *ports) release() error {
	var errs []error
	for _, f := range p.locks {
		errs = append(errs, os.Remove(f.Name()), f.Close())
	}
	p.locks = nil
	return errors.Join(errs...)
}
