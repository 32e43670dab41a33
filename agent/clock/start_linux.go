//go:build linux && (amd64 || arm64)

package clock

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Start starts cmd with c as its clock: it takes the place of cmd.Start, and the caller calls cmd.Wait afterwards as
// usual. The process has the skew that is in force from its first instruction on, and so has what it forks; a program
// that it executes in its place, or in a fork, has the machine's clock until it is followed: by Set, Verify and Follow.
//
// Set-user-ID bits and file capabilities of the program have no effect, unless this program may trace any process.
// After an error no process is left, and cmd is spent. An error of cmd.Start itself is wrapped.
func (c *Clock) Start(cmd *exec.Cmd) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.page == nil {
		return fmt.Errorf("start %s with a clock of its own: %w", cmd.Path, errClosed)
	}
	start := c.start() + 1
	if err := startTraced(cmd, c.page.file, func(t *tracee, fd uint64) error {
		_, err := t.disguise(fd, start)
		return err
	}); err != nil {
		return fmt.Errorf("start %s with a clock of its own: %w", cmd.Path, err)
	}
	atomic.StoreUint64(&c.page.starts, uint64(start))
	c.pid = cmd.Process.Pid
	c.roots, c.strangers, c.loose, c.looked = map[int]string{c.pid: lifeOf(c.pid).born}, nil, nil, time.Time{}
	c.before = atomic.LoadUint64(&c.page.reads)
	c.since = c.before
	return nil
}

// startTraced starts cmd and does prepare with its process before that has run its first instruction. The process has
// file open as the descriptor fd. It is not traced any more when startTraced returns.
func startTraced(cmd *exec.Cmd, file *os.File, prepare func(t *tracee, fd uint64) error) error {
	// Only the thread that a process was started by may trace it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	// The page goes in as an open file: the process may have another root directory or user.
	attr, files := cmd.SysProcAttr, cmd.ExtraFiles
	traced := syscall.SysProcAttr{}
	if attr != nil {
		traced = *attr
	}
	traced.Ptrace = true
	cmd.SysProcAttr, cmd.ExtraFiles = &traced, append(slices.Clip(files), file)
	err := cmd.Start()
	cmd.SysProcAttr, cmd.ExtraFiles = attr, files
	if err != nil {
		return err
	}

	t := &tracee{pid: cmd.Process.Pid}
	err = t.awaitExec()
	if err == nil {
		err = prepare(t, uint64(3+len(files)))
	}
	if err == nil {
		err = t.release()
	}
	if err != nil {
		err = errors.Join(err, cmd.Process.Kill())
		cmd.Wait() // it was killed, and says so
	}
	return err
}

// Supported tells why the clock of a process that this program starts cannot be skewed here, or nil if it can. It
// finds out by giving a clock to a process of its own, which runs nothing but that clock, and is killed; the answer
// does not change and is kept.
func Supported() error { return supported() }

var supported = sync.OnceValue(func() error {
	if err := rehearse(); err != nil {
		return fmt.Errorf("skew a process's clock: %w", err)
	}
	return nil
})

// rehearse does everything that Start does, then has the process read its clock, once.
func rehearse() error {
	fd, err := unix.MemfdCreate("fallacy-clock", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("make a page: %w", err)
	}
	file := os.NewFile(uintptr(fd), "fallacy-clock")
	m, err := fillPage(file)
	if err != nil {
		file.Close()
		return fmt.Errorf("make a page: %w", err)
	}
	defer m.close()

	errRehearsed := errors.New("rehearsed") // an error, so that the process is killed before it runs
	err = startTraced(exec.Command("/proc/self/exe"), file, func(t *tracee, fd uint64) error {
		gettime, err := t.disguise(fd, 1)
		if err == nil {
			err = t.run(gettime)
		}
		if err == nil {
			err = errRehearsed
		}
		return err
	})
	switch seen := m.observe(); {
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("tracing a child process is forbidden, by seccomp or kernel.yama.ptrace_scope: %w", err)
	case !errors.Is(err, errRehearsed):
		return err
	case seen.reads != 1 || seen.real == 0:
		return fmt.Errorf("the vDSO is not used: %d readings of the clock instead of 1", seen.reads)
	}
	return nil
}
