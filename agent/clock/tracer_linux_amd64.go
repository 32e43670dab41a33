package clock

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// tracer is the thread that traces processes which run already: only the thread that
// has seized one may let it go. It never ends, for with a thread end the children
// that it had started, at times when it was no tracer yet, if they are to die with
// their parent (PR_SET_PDEATHSIG).
var tracer = sync.OnceValue(func() chan<- func() {
	jobs := make(chan func())
	go func() {
		runtime.LockOSThread()
		tick := time.NewTicker(settledAfter)
		defer tick.Stop()
		for {
			// A thread that did not stop in time is let go when it does.
			again := tick.C
			if stuck = slices.DeleteFunc(stuck, letLoose); len(stuck) == 0 {
				again = nil
			}
			select {
			case job := <-jobs:
				job()
			case <-again:
			}
		}
	}()
	return jobs
})

// stuck are threads that are traced and could not be let go yet. For the tracer alone.
var stuck []int

// inTracer does do in the tracer's thread.
func inTracer(do func() error) error {
	done := make(chan error, 1)
	tracer() <- func() { done <- do() }
	return <-done
}

// letLoose lets a thread go that may not have stopped, or may have died; false if it
// has to be tried again.
func letLoose(tid int) bool {
	if unix.PtraceDetach(tid) == nil {
		return true
	}
	p, there := processOf(tid)
	switch {
	case !there:
		return true
	case p.state != 'Z' && p.state != 'X':
		return false
	case p.parent == os.Getpid() && leads(tid):
		return true // somebody here waits for it
	}
	// It is dead to nobody else before its tracer has taken notice.
	_, err := unix.Wait4(tid, nil, unix.WNOHANG|unix.WALL, nil)
	return err != unix.EINTR
}

// leads tells whether a thread is the first of its process, which is the one that a
// parent waits for.
func leads(tid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	return err == nil && strings.Contains(string(status), fmt.Sprintf("\nTgid:\t%d\n", tid))
}
