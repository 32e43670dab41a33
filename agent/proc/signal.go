//go:build unix

package proc

import "syscall"

// signalGroup sends sig to the process group that process pid leads.
func signalGroup(pid int, sig syscall.Signal) error { return syscall.Kill(-pid, sig) }
