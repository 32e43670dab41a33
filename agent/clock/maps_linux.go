package clock

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// area is a mapping of a process, a line of /proc/PID/maps.
type area struct {
	start, end uint64
	perms      string // "r-xp"
	file       string // device, inode and path of what is mapped, as the kernel writes them
	path       string // the path alone, or "[vdso]"; empty: anonymous
}

// areas lists the mappings of a process, in order. One that has ended has none.
func areas(pid int) ([]area, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	var all []area
	for line := range strings.Lines(string(text)) {
		a, err := parseArea(line)
		if err != nil {
			return nil, fmt.Errorf("/proc/%d/maps: %q: %w", pid, line, err)
		}
		all = append(all, a)
	}
	return all, nil
}

// parseArea reads a line such as "7f00-7fff r--p 00001000 fe:01 1234   /lib/libc.so".
func parseArea(line string) (a area, err error) {
	fields := strings.Fields(line)
	if len(fields) < 5 {
		return a, fmt.Errorf("%d fields, want 5", len(fields))
	}
	from, to, _ := strings.Cut(fields[0], "-")
	if a.start, err = strconv.ParseUint(from, 16, 64); err != nil {
		return a, err
	}
	if a.end, err = strconv.ParseUint(to, 16, 64); err != nil {
		return a, err
	}
	a.perms = fields[1]
	a.path = strings.Join(fields[5:], " ")
	a.file = fields[3] + " " + fields[4] + " " + a.path
	return a, nil
}

// anonymous tells whether nothing but memory is mapped, under no name.
func (a area) anonymous() bool { return a.path == "" }

// private tells whether a's pages are the process's own.
func (a area) private() bool { return strings.HasSuffix(a.perms, "p") }

func (a area) readable() bool   { return strings.HasPrefix(a.perms, "r") }
func (a area) writable() bool   { return len(a.perms) > 1 && a.perms[1] == 'w' }
func (a area) executable() bool { return len(a.perms) > 2 && a.perms[2] == 'x' }
func (a area) isFile() bool     { return strings.HasPrefix(a.path, "/") }

// find returns the area with that path.
func find(all []area, path string) (area, bool) {
	for _, a := range all {
		if a.path == path {
			return a, true
		}
	}
	return area{}, false
}

// at returns the area that holds an address.
func at(all []area, address uint64) (area, bool) {
	for _, a := range all {
		if a.start <= address && address < a.end {
			return a, true
		}
	}
	return area{}, false
}

// data are the areas where programs and libraries keep the pointers that they
// look up once: their initialized data, what of it is made read-only later, and
// the zeroed memory right behind it. Neither heaps nor stacks.
func data(all []area) []area {
	var found []area
	behind := uint64(0) // where an area goes on with the data of a file
	for _, a := range all {
		mine := a.isFile() || a.anonymous() && a.start == behind
		if !mine {
			continue
		}
		behind = a.end
		if a.private() && a.readable() && (a.writable() || !a.executable()) {
			found = append(found, a)
		}
	}
	return found
}
