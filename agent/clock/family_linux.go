package clock

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// process is an entry of the process table.
type process struct {
	pid, parent, group int
	state              byte
	born               string // ticks since the machine's start: with pid, it is unique
}

// processes lists the process table. One that ends meanwhile is left out.
func processes() ([]process, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var all []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, ok := processOf(pid); ok {
			all = append(all, p)
		}
	}
	return all, nil
}

// processOf reads one entry of the process table.
func processOf(pid int) (process, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	// The name is in parentheses and may have any character in it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return process{}, false
	}
	p := process{pid: pid, state: fields[0][0], born: fields[19]}
	p.parent, _ = strconv.Atoi(fields[1]) // the kernel writes numbers
	p.group, _ = strconv.Atoi(fields[2])
	return p, true
}

// family are the living processes that descend from one of roots or are in the
// group of one, by number. Roots whose number another process has now are removed;
// that of one that has ended is nobody's while its group lives.
func family(roots map[int]string) ([]process, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	parents := make(map[int]int, len(all))
	for _, p := range all {
		parents[p.pid] = p.parent
		if born, ok := roots[p.pid]; ok && born != p.born {
			delete(roots, p.pid)
		}
	}
	isRoot := func(pid int) bool { _, ok := roots[pid]; return ok }
	var found []process
	for _, p := range all {
		if p.state == 'Z' || p.state == 'X' {
			continue
		}
		mine := isRoot(p.group)
		for pid, steps := p.pid, 0; pid > 1 && !mine && steps < len(all); steps++ {
			mine = isRoot(pid)
			pid = parents[pid]
		}
		if mine {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b process) int { return a.pid - b.pid })
	return found, nil
}
