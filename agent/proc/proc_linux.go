package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
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
