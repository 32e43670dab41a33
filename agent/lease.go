package agent

import (
	"sync"
	"time"
)

// lease is the dead man's switch: it calls trip once when it was not renewed
// for a whole term, and then waits to be renewed.
type lease struct {
	term  time.Duration
	timer *time.Timer
	mu    sync.Mutex
	ended bool
}

// newLease returns a lease that runs; with no term it never does.
func newLease(term time.Duration, trip func(silence time.Duration)) *lease {
	l := &lease{term: term}
	if term > 0 {
		l.timer = time.AfterFunc(term, func() { trip(term) })
	}
	return l
}

func (l *lease) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil && !l.ended {
		l.timer.Reset(l.term)
	}
}

func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.timer != nil {
		l.timer.Stop()
	}
}
