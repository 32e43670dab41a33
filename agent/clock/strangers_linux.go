package clock

import (
	"fmt"
	"os"
	"strings"
	"unsafe"
)

// life is a process, told from another one that has its number later.
type life struct {
	pid  int
	born string
}

// lifeOf is the process that has a number now.
func lifeOf(pid int) life {
	p, _ := processOf(pid) // one that is gone was born at no time
	return life{pid, p.born}
}

// lasts tells whether the process has not ended.
func (l life) lasts() bool {
	p, ok := processOf(l.pid)
	return ok && p.born == l.born && p.state != 'Z' && p.state != 'X'
}

// stranger is a process that has not mapped a clock's page.
type stranger struct {
	life
	id  string // another one for each program that it executes
	exe string
}

// strangers are the processes of a family that have not mapped the page.
func strangers(roots map[int]string, m *mapping) ([]stranger, error) {
	own, err := areas(os.Getpid())
	if err != nil {
		return nil, err
	}
	page, ok := at(own, uint64(uintptr(unsafe.Pointer(m.page))))
	if !ok {
		return nil, fmt.Errorf("the shared page is not mapped here")
	}
	members, err := family(roots)
	if err != nil {
		return nil, err
	}
	var found []stranger
	for _, p := range members {
		all, err := areas(p.pid)
		var program uint64
		switch {
		case err == nil && len(all) == 0 || maps(all, page.file):
			continue // the first has ended
		case err == nil:
			program = all[0].start
		case !os.IsPermission(err): // one that may not be looked at is a stranger
			if (life{p.pid, p.born}).lasts() {
				return nil, err
			}
			continue
		}
		found = append(found, stranger{life{p.pid, p.born}, fmt.Sprintf("%d %s %#x", p.pid, p.born, program), nameOf(p.pid)})
	}
	return found, nil
}

// maps tells whether one of the areas is of a file.
func maps(all []area, file string) bool {
	for _, a := range all {
		if a.file == file {
			return true
		}
	}
	return false
}

// nameOf is what a process executes, for people.
func nameOf(pid int) string {
	if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil {
		return exe
	}
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)) // one that has ended has none
	return strings.TrimSpace(string(name))
}
