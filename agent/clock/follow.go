package clock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const (
	// followEvery is how often Follow looks for programs that were executed.
	followEvery = 250 * time.Millisecond
	// settledAfter is how long a program is there before it is given the clock: one
	// that has just been executed may be on its way to the next, or to its end.
	settledAfter = 20 * time.Millisecond
	// settleWithin bounds how long Set waits for programs to be that old.
	settleWithin = 500 * time.Millisecond
)

// Adopt gives a process that runs already the clock c, until c is closed: it has
// the skew that is in force from then on. It is stopped for some milliseconds by
// ptrace; other threads of it run on. Its forks have the clock too, and a program
// that it executes has not. A process with the clock of another Clock, of this
// program or of one that died, is taken over. Linux on amd64 only.
//
// The process must be one that this program may trace (of its own user, and with
// kernel.yama.ptrace_scope=1 a descendant; or with CAP_SYS_PTRACE), and must be able
// to open the page by its path. While a child of this program is adopted, whoever
// waits for its end may be told of a stop: wait with WNOWAIT first.
func (c *Clock) Adopt(pid int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.page == nil {
		return fmt.Errorf("give process %d another clock: %w", pid, errClosed)
	}
	return c.adopt(pid)
}

func (c *Clock) adopt(pid int) error {
	if err := adopt(pid, c.page, c.start()); err != nil {
		return fmt.Errorf("give process %d another clock: %w", pid, err)
	}
	c.adopted = append(slices.DeleteFunc(c.adopted, func(l life) bool { return !l.lasts() }), lifeOf(pid))
	return nil
}

// Disown gives a process the machine's clock back, whoever gave it another one:
// this program or one that died, as it was started or later. Linux on amd64 only.
// What is true of Adopt's stop is true here.
func Disown(pid int) error {
	if err := disown(pid); err != nil {
		return fmt.Errorf("give process %d the machine's clock: %w", pid, err)
	}
	return nil
}

// Follow gives the clock c to programs that the process started with c, or its
// descendants, execute while a skew is in force. It returns when ctx is done. A
// program has the machine's clock until it is noticed, for a quarter of a second.
func (c *Clock) Follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c.mu.Lock()
		if c.page != nil && c.want.skew() != (fallacy.Skew{}) {
			c.follow()
		}
		c.mu.Unlock()
	}
}

// program is one that a process executed, and that has not got the clock.
type program struct {
	seen time.Time
	err  error // why it could not be given the clock
}

// follow looks for programs without the clock and gives it to those that have been
// there for a while. It tells whether there are others. What it could not do is kept
// for verify to say.
func (c *Clock) follow() (unsettled bool) {
	c.loose, c.looked = nil, time.Now()
	if c.pid == 0 {
		return false
	}
	found, err := strangers(c.roots, c.page)
	if err != nil {
		c.loose = fmt.Errorf("look for the process's programs: %w", err)
		return false
	}
	next, now := make(map[string]program), c.looked
	for _, s := range found {
		p, known := c.strangers[s.id]
		switch {
		case !known:
			p.seen, unsettled = now, true
		case now.Sub(p.seen) < settledAfter:
			unsettled = true
		default:
			if p.err = c.adopt(s.pid); p.err == nil {
				c.roots[s.pid] = s.born
				continue
			}
			if !s.lasts() {
				continue
			}
			c.loose = errors.Join(c.loose, fmt.Errorf("process %d has executed %s, which has the machine's clock: %w", s.pid, s.exe, p.err))
		}
		next[s.id] = p
	}
	c.strangers = next
	return unsettled
}

// followSoon follows until no program is too young, or for a bounded time.
func (c *Clock) followSoon() {
	if len(c.strangers) == 0 && time.Since(c.looked) < settledAfter {
		return
	}
	overdue := time.After(settleWithin)
	tick := time.NewTicker(settledAfter)
	defer tick.Stop()
	for c.follow() {
		select {
		case <-tick.C:
		case <-overdue:
			c.follow() // those that were new the first time are no longer
			return
		}
	}
}
