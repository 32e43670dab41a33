package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// treeMax bounds how many processes of a tree are looked at.
const treeMax = 256

// tick is the unit of CPU times in /proc: USER_HZ, which is 100 a second on
// every architecture that Go knows.
const tick = 10 * time.Millisecond

// UsageOf looks up in /proc what process pid and its descendants use. It fails
// if pid itself is not there.
func UsageOf(pid int) (Usage, error) {
	var sum Usage
	if err := sum.add(pid); err != nil {
		return Usage{}, fmt.Errorf("look up what process %d uses: %w", pid, err)
	}
	for _, child := range descendants(pid) {
		_ = sum.add(child) // it may have ended since
	}
	return sum, nil
}

// descendants returns the children of pid, theirs, and so on, as far as the
// kernel lists them.
func descendants(pid int) []int {
	all := []int{pid}
	for at := 0; at < len(all) && len(all) < treeMax; at++ {
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", all[at]))
		for _, t := range tasks {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", all[at], t.Name()))
			for _, word := range bytes.Fields(text) {
				if child, err := strconv.Atoi(string(word)); err == nil {
					all = append(all, child)
				}
			}
		}
	}
	return all[1:min(len(all), treeMax)]
}

// add adds what one process uses.
func (u *Usage) add(pid int) error {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return err
	}
	// The name of the program, in parentheses, may hold anything.
	_, rest, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ")
	fields := strings.Fields(rest)
	const state, utime, cstime, threads, resident = 0, 11, 14, 17, 21
	if len(fields) <= resident {
		return errors.New("its stat is cut short")
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return os.ErrProcessDone
	}
	for _, ticks := range fields[utime : cstime+1] {
		n, _ := strconv.ParseInt(ticks, 10, 64)
		u.CPU += time.Duration(n) * tick
	}
	n, _ := strconv.Atoi(fields[threads])
	pages, _ := strconv.ParseInt(fields[resident], 10, 64)
	u.Threads, u.Memory = u.Threads+n, u.Memory+pages*int64(os.Getpagesize())
	files := -1
	if open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)); err == nil {
		files = len(open)
	}
	u.Files = int(plus(int64(u.Files), int64(files)))
	read, written := storage(pid)
	u.Read, u.Written = plus(u.Read, read), plus(u.Written, written)
	return nil
}

// plus adds what may be unknown: then the sum is as well.
func plus(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

// storage returns the bytes that a process had fetched from and sent to storage;
// -1, -1: others may not know, as of a process of another user.
func storage(pid int) (read, written int64) {
	read, written = -1, -1
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		switch {
		case err != nil:
		case name == "read_bytes":
			read = n
		case name == "write_bytes":
			written = n
		}
	}
	return read, written
}
