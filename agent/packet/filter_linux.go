package packet

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/fallacy-dev/fallacy"
)

// Filter is one node's share of the network's faults.
type Filter struct {
	cfg Config

	mu      sync.Mutex
	table   *table
	workers map[direction]*worker
	next    uint16 // number of the next queue to try
}

// Supported tells why packets cannot be acted on here, or nil if they can: it
// makes a table of its own, finds out whether the kernel can queue, and removes it.
func Supported() error {
	f, err := Open(Config{Name: "fallacy-try-" + strconv.Itoa(os.Getpid()), Own: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Chance: fallacy.NewChance(0)})
	if err != nil {
		return err
	}
	w, err := f.open(direction{peer: fallacy.Clients})
	if err == nil {
		f.workers[direction{peer: fallacy.Clients}] = w
	}
	return errors.Join(err, f.Close())
}

// Open makes a filter that lets everything through.
func Open(cfg Config) (*Filter, error) {
	t, err := openTable(cfg)
	if err != nil {
		return nil, err
	}
	f := &Filter{cfg: cfg, table: t, workers: make(map[direction]*worker), next: firstQueue}
	if err := errors.Join(t.tryQueue(), f.Set(State{})); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// firstQueue is above the numbers that people give to queues by hand.
const firstQueue = 16_000

// Set makes s what is wrong with the links. The rules change all at once.
func (f *Filter) Set(s State) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	numbers := make(map[direction]uint16)
	for _, d := range f.cfg.directions() {
		l := s.link(d)
		w := f.workers[d]
		if w == nil {
			if !queued(l) {
				continue
			}
			var err error
			if w, err = f.open(d); err != nil {
				return err
			}
			f.workers[d] = w
		}
		if err := w.set(l); err != nil {
			return err
		}
		numbers[d] = w.queue.number
	}
	return f.table.set(f.cfg, s, numbers)
}

// open starts a worker on a queue that nobody else has.
func (f *Filter) open(d direction) (*worker, error) {
	own := f.cfg.Own
	if d.out {
		own = netip.Addr{}
	}
	chance := f.cfg.Chance.At(d.peer).At(strconv.FormatBool(d.out))
	for range 1000 {
		f.next++
		w, err := startWorker(f.next, own, f.cfg.Own.Is6(), chance)
		if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.EPERM) {
			return w, err
		}
	}
	return nil, fmt.Errorf("queue packets: no number from %d on is free", firstQueue)
}

// Close removes the table, and lets go what waits.
func (f *Filter) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	errs := []error{f.table.close()}
	for _, w := range f.workers {
		errs = append(errs, w.close())
	}
	f.workers = nil
	return errors.Join(errs...)
}
