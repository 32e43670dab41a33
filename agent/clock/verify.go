package clock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// verifyEvery is how long Verify waits between two looks at the page.
const verifyEvery = 500 * time.Microsecond

// tolerance is how far a reading may be from what was set. The arithmetic is exact; but of threads that read at the
// same time, one may note its delta and another its time.
const tolerance = time.Millisecond

// ErrUnread is why nothing can be said of the clock of a process that did not look at it.
var ErrUnread = errors.New("got no reading of the clock by the process since that was set")

// Verify waits until the process has read its clock after the last Set (and after its start), and what it saw agrees
// with what was set, to the millisecond. If that does not come before ctx is done, the error says what was wanted and
// what was seen, and if the process did not read its clock at all, what may be the reason. A page that somebody else
// wrote to is an error at once. "The process" is all of them: the one that was started, its descendants, and what they
// have executed; one of them that has the machine's clock, and cannot be given this one, is an error.
func (c *Clock) Verify(ctx context.Context) error {
	ticker := time.NewTicker(verifyEvery)
	defer ticker.Stop()
	for {
		final, err := c.verify()
		if err == nil {
			return nil
		}
		if final {
			return fmt.Errorf("verify a clock: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("verify a clock: %w%s (%w)", err, c.diagnose(), context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// verify looks once. If it is final, looking again is of no use.
func (c *Clock) verify() (final bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.page == nil {
		return true, errClosed
	}
	if err := c.damage(); err != nil {
		return true, err
	}
	skew := c.want.skew()
	if skew != (fallacy.Skew{}) { // else who has the machine's clock has the right time
		if time.Since(c.looked) >= settledAfter {
			c.follow()
		}
		if c.loose != nil {
			return false, fmt.Errorf("wanted %s, %w", describe(skew), c.loose)
		}
	}
	_, seq := c.page.inForce()
	seen := c.page.observe()
	if seen.reads <= c.since || seen.seq != uint32(seq) || seen.start != c.start() {
		return false, fmt.Errorf("wanted %s, %w", describe(skew), ErrUnread)
	}
	wanted := time.Duration(c.want.at(seen.real))
	got := time.Duration(seen.delta)
	if off := got - wanted; off.Abs() > tolerance {
		return false, fmt.Errorf("wanted %s, that is %v when the process read its clock, got %v", describe(skew), wanted, got)
	}
	return false, nil
}

// diagnose looks for a reason why the process does not read the clock it was given: "", or a text to append.
func (c *Clock) diagnose() string {
	c.mu.Lock()
	pid := c.pid
	c.mu.Unlock()
	if pid == 0 {
		return ": this program has started no process with it"
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && len(maps) == 0:
		return fmt.Sprintf(": process %d is gone", pid)
	case err == nil && !strings.Contains(string(maps), filepath.Base(c.path)):
		return fmt.Sprintf(": process %d has executed another program, which has the machine's clock", pid)
	}
	return ""
}
