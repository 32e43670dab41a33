package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// groupOfItsOwn gives the child a process group, so that signals reach all of
// it and a Ctrl-C none of it, and lets it die with the agent.
func groupOfItsOwn() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// stopped tells whether process pid is stopped by a signal, by its state in
// /proc/PID/status. One that waits in the kernel, as a parent does for its
// vfork, stops when it comes out: the signal that is pending counts for it.
func stopped(pid int) (bool, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false, fmt.Errorf("look up process %d: %w", pid, err)
	}
	state, pending := "", uint64(0)
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch name {
		case "State":
			state = value
		case "SigPnd", "ShdPnd":
			bits, _ := strconv.ParseUint(value, 16, 64)
			pending |= bits
		}
	}
	if state == "" {
		return false, fmt.Errorf("look up process %d: it has no state", pid)
	}
	const stopBit = 1 << (syscall.SIGSTOP - 1)
	return state[0] == 'T' || state[0] == 't' || state[0] == 'D' && pending&stopBit != 0, nil
}

// awaitEnd waits until the child pid has ended, and leaves its status for who asks
// next. A child that is traced by this program, as one is for a moment that is given
// another clock, is reported when it stops too, which is not its end.
func awaitEnd(pid int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		var info unix.Siginfo
		switch err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil); {
		case err == unix.EINTR:
		case err != nil || info.Code != cldTrapped && info.Code != cldStopped:
			return
		default:
			<-tick.C // until it is let go
		}
	}
}

// What a child that has not ended is reported for.
const (
	cldTrapped = 4
	cldStopped = 5
)
