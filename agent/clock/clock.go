package clock

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// errClosed is returned by the methods of a Clock that was closed.
var errClosed = errors.New("the clock is closed")

// Clock is the wall clock of the processes that were started with it: the machine's, skewed as Set says. One Clock is
// meant for one process of the target at a time, with its forks; what it says about "the process" is about the one
// started last. Its methods may be called from several goroutines.
type Clock struct {
	path string

	mu     sync.Mutex
	page   *mapping // nil after Close
	want   record   // what was set last, and must be in the page
	since  uint64   // readings when the skew was set, or the process started: later ones count for Verify
	before uint64   // readings when the process was started
	pid    int      // of the process started last, 0 before

	adopted   []life             // processes that were given the clock when they ran already
	roots     map[int]string     // when pid, and adopted descendants of it, were born: theirs are followed too
	strangers map[string]program // executed and without the clock when follow looked last, by id
	loose     error              // which of them cannot be given the clock
	looked    time.Time          // when that was
}

// New makes a Clock that shows the right time. The path named page is that of a file, made anew, which this program
// and the started processes share as memory: one page of the machine's, readable by this program's user only. It
// should be on a disk that no fault is going to harm or slow down, best in memory (/dev/shm, /run). Processes of an
// earlier Clock with the same path get the right time back, and no longer obey.
func New(page string) (*Clock, error) {
	if old, err := Open(page); err == nil {
		if err := old.release(); err != nil {
			return nil, fmt.Errorf("make a clock: heal the one before: %w", err)
		}
	}
	m, err := createPage(page)
	if err != nil {
		return nil, fmt.Errorf("make a clock: %w", err)
	}
	c := &Clock{path: page, page: m}
	c.want, _ = m.inForce()
	return c, nil
}

// Open takes over the page that another program made with New, with the skew that is in force: what it is for is
// healing after that program died. The processes obey the new Clock.
func Open(page string) (*Clock, error) {
	m, err := openPage(page)
	if err != nil {
		return nil, fmt.Errorf("take over the clock at %s: %w", page, err)
	}
	c := &Clock{path: page, page: m}
	c.want, _ = m.inForce()
	c.since = atomic.LoadUint64(&m.reads)
	return c, nil
}

// Set puts s in force: for all processes started with c and their forks, between two readings of a clock, all of it at
// once. Time for Drift, Strobe and Frozen counts from now on; a frozen clock neither drifts nor strobes. Setting the
// skew that is in force already does not start it anew. It is in force when Set returns; Verify tells whether it took
// effect. Programs that the process or its descendants have executed are given the clock first, see [Clock.Adopt]. A
// Drift beyond ±1e9 ppm and a negative Strobe are refused.
func (c *Clock) Set(s fallacy.Skew) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.page == nil {
		return fmt.Errorf("set a clock: %w", errClosed)
	}
	if s != (fallacy.Skew{}) {
		c.followSoon()
	}
	if s != c.want.skew() {
		want, err := recordOf(s, time.Now())
		if err != nil {
			return fmt.Errorf("set a clock: %w", err)
		}
		c.want = want
	}
	if c.damage() != nil {
		c.page.publish(c.want)
	}
	c.since = atomic.LoadUint64(&c.page.reads)
	return nil
}

// damage tells how the page differs from what was set.
func (c *Clock) damage() error {
	got, _ := c.page.inForce()
	mask, magic := atomic.LoadUint32(&c.page.mask), atomic.LoadUint64(&c.page.magic)
	switch {
	case got != c.want:
		return fmt.Errorf("set by somebody else: wanted %s, got %s", describe(c.want.skew()), describe(got.skew()))
	case mask != skewedClocks || magic != pageMagic:
		return fmt.Errorf("page overwritten: wanted clocks %#x, magic %#x, got %#x, %#x", skewedClocks, uint64(pageMagic), mask, magic)
	}
	return nil
}

// Reading is the clock as the process read it last, by the account of the code that answered it, in the process.
type Reading struct {
	Skew  time.Duration // what was read, minus the machine's clock at that moment
	Reads uint64        // readings of the wall clock since the process was started; 0: none, and the rest is void
	At    time.Time     // the machine's clock at the last reading
}

// Read returns the last reading by the process that c started last, or by its forks. A process that has not read its
// clock yet is no error: Reads is 0. If several threads read at this moment, Skew and At may be of two of them.
func (c *Clock) Read() (Reading, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.page == nil {
		return Reading{}, fmt.Errorf("read a clock: %w", errClosed)
	}
	seen := c.page.observe()
	if seen.reads <= c.before || seen.start != c.start() {
		return Reading{}, nil
	}
	return Reading{
		Skew:  time.Duration(seen.delta),
		Reads: seen.reads - c.before,
		At:    time.Unix(0, seen.real),
	}, nil
}

// start is the number of the last start of a process.
func (c *Clock) start() uint32 { return uint32(atomic.LoadUint64(&c.page.starts)) }

// Close gives all processes the right time back, those that were adopted by the machine's clock, removes the page's file
// and lets go of them. It is harmless when c is closed already.
func (c *Clock) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.page == nil {
		return nil
	}
	err := errors.Join(c.release(), c.disownAll())
	if removed := os.Remove(c.path); removed != nil && !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	if err != nil {
		return fmt.Errorf("close a clock: %w", err)
	}
	return nil
}

// disownAll gives the machine's clock to the adopted processes that live.
func (c *Clock) disownAll() error {
	var errs []error
	for _, l := range c.adopted {
		if !l.lasts() {
			continue
		}
		if err := disown(l.pid); err != nil && l.lasts() {
			errs = append(errs, fmt.Errorf("process %d: %w", l.pid, err))
		}
	}
	c.adopted = nil
	return errors.Join(errs...)
}

// release puts the right time in force and unmaps the page.
func (c *Clock) release() error {
	if right := (record{}); c.want.skew() != right.skew() || c.damage() != nil {
		c.page.publish(right)
	}
	page := c.page
	c.page = nil
	return page.close()
}
