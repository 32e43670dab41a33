// Package owner names the process that agents and what they leave behind belong
// to, so that leftovers can be told from what is in use.
package owner

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Owner is a controller: a process, told from others that have its number at
// another time, after another boot, or on another machine that uses the same Docker.
type Owner struct {
	host, boot string
	pid        int
	start      string // in clock ticks since the boot
}

// Self is this process.
func Self() Owner {
	host, _ := os.Hostname() // unknown is a name as well
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return Owner{host: host, boot: strings.TrimSpace(string(boot)), pid: os.Getpid(), start: startOf(os.Getpid())}
}

// String returns what Parse reads.
func (o Owner) String() string {
	return strings.Join([]string{o.host, o.boot, strconv.Itoa(o.pid), o.start}, "/")
}

// Parse is the inverse of String.
func Parse(text string) (Owner, bool) {
	part := strings.Split(text, "/")
	if len(part) != 4 {
		return Owner{}, false
	}
	pid, err := strconv.Atoi(part[2])
	return Owner{host: part[0], boot: part[1], pid: pid, start: part[3]}, err == nil && pid > 0
}

// Dead tells whether o is known to be gone. Who is on another machine is not known.
func (o Owner) Dead() bool {
	me := Self()
	switch {
	case o.host != me.host:
		return false
	case o.boot != me.boot:
		return true
	case errors.Is(syscall.Kill(o.pid, 0), syscall.ESRCH):
		return true
	}
	now := startOf(o.pid)
	return now != "" && now != o.start
}

// startOf returns when process pid was started; empty where there is no /proc,
// and for a process that has ended.
func startOf(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The second field, the program's name, may have anything in it but ends at the last parenthesis.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const startField = 22 - 3 // of those after the second, from zero
	if len(fields) <= startField {
		return ""
	}
	return fields[startField]
}
