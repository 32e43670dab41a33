package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Leftover is the workspace of a cluster whose controller is gone.
type Leftover struct {
	Dir    string
	Agents []int // process IDs of agents that are still there
}

// Leftovers finds what this user's controllers have left behind. Agents heal and
// end by themselves when their controller is gone; this is for those that could not.
func Leftovers() ([]Leftover, error) {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	if err != nil {
		return nil, err
	}
	var left []Leftover
	for _, dir := range dirs {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		controller, err := strconv.Atoi(name)
		if err != nil || alive(controller) || !mine(dir) {
			continue
		}
		l := Leftover{Dir: dir}
		pids, _ := filepath.Glob(filepath.Join(dir, "*", "agent.pid"))
		for _, file := range pids {
			text, _ := os.ReadFile(file)
			if pid, err := strconv.Atoi(string(text)); err == nil && isAgent(pid, dir) {
				l.Agents = append(l.Agents, pid)
			}
		}
		left = append(left, l)
	}
	return left, nil
}

// Heal ends the agents, which heal their nodes and kill the target, and removes
// the workspace.
func (l Leftover) Heal() error {
	var errs []error
	for _, pid := range l.Agents {
		// One that was stopped hears nothing until it goes on.
		_ = syscall.Kill(pid, syscall.SIGCONT)
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("end agent %d: %w", pid, err))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(l.Dir))...)
}

func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func mine(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}

// isAgent tells whether process pid is an agent in dir, and not another that has
// got the number of one since. Where there is no /proc it trusts the number.
func isAgent(pid int, dir string) bool {
	if !alive(pid) {
		return false
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err != nil || strings.Contains(string(line), dir)
}
