package clock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A process that runs is seized by one of its threads: the others run on.
const (
	// seizePatience is how long a thread may take to stop.
	seizePatience = time.Second
	// stepPatience is how long one instruction may take before the thread is taken
	// to have gone into the kernel with it.
	stepPatience = 5 * time.Millisecond
)

// Requests of ptrace, and what is blocked while a thread is seized: every signal
// but SIGTRAP, which a single step raises and the kernel would not find a handler for.
const (
	ptraceGetSigmask = 0x420a
	ptraceSetSigmask = 0x420b
	blockedSignals   = ^uint64(0) &^ (1 << (unix.SIGTRAP - 1))
)

// seized is a running process that one thread of is stopped.
type seized struct {
	tracee        // of the thread
	mask   uint64 // of signals that the thread blocks by itself
	system uint64 // where in the process there is a system call instruction
}

// errUnstoppable is of a process all of whose threads wait for what cannot be
// interrupted, or have ended.
var errUnstoppable = errors.New("it has no thread that can be stopped")

// seize stops one thread of a process, as soon as there is one that can be. For the
// tracer alone.
func seize(pid int) (*seized, error) {
	overdue := time.NewTimer(seizePatience)
	defer overdue.Stop()
	tick := time.NewTicker(stepPatience)
	defer tick.Stop()
	for {
		s, err := seizeNow(pid)
		if !errors.Is(err, errUnstoppable) {
			return s, err
		}
		select {
		case <-tick.C:
		case <-overdue.C:
			return nil, err
		}
	}
}

func seizeNow(pid int) (*seized, error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, thread := range threads {
		var tid int
		if _, err := fmt.Sscan(thread.Name(), &tid); err != nil {
			return nil, err
		}
		if !stoppable(pid, tid) {
			continue
		}
		s := &seized{tracee: tracee{pid: tid}}
		if err = s.stop(); err == nil {
			return s, nil
		}
		errs = append(errs, err)
		if errors.Is(err, unix.EPERM) {
			break // nor will the others be given away
		}
	}
	if len(errs) == 0 {
		return nil, errUnstoppable
	}
	return nil, errors.Join(errs...)
}

// stoppable tells whether a thread lives, and does not wait for what cannot be
// interrupted, as a parent does for its vfork.
func stoppable(pid, tid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/stat", pid, tid))
	_, rest, ok := strings.Cut(string(stat), ") ")
	return err == nil && ok && !strings.ContainsAny(rest[:1], "ZXxD")
}

// stop seizes the thread and stops it where its registers may be borrowed.
func (s *seized) stop() error {
	switch err := unix.PtraceSeize(s.pid); {
	case err == unix.EPERM:
		return fmt.Errorf("trace thread %d: this program must not, without CAP_SYS_PTRACE, if it is of another user, or if it is traced: %w", s.pid, err)
	case err != nil:
		return fmt.Errorf("trace thread %d: %w", s.pid, err)
	}
	err := s.settle()
	if err == nil {
		err = s.entry.native()
	}
	if err == nil {
		s.mask, err = s.sigmask(ptraceGetSigmask, 0)
	}
	if err == nil {
		_, err = s.sigmask(ptraceSetSigmask, blockedSignals)
	}
	if err != nil {
		stuck = append(stuck, s.pid)
	}
	return err
}

// settle stops the thread for good. One that was not in a system call is let run
// for one instruction: if it was in a restartable sequence (rseq) the kernel sends
// it to the start of that now, and will not find it elsewhere later.
func (s *seized) settle() error {
	if err := s.interrupt(); err != nil {
		return err
	}
	if !s.entry.inSystemCall() {
		if err := unix.PtraceSingleStep(s.pid); err != nil {
			return fmt.Errorf("step thread %d: %w", s.pid, err)
		}
		if regs, err := s.awaitRegisters(stepPatience); err == nil {
			s.entry = regs
			return nil
		}
		return s.interrupt() // the instruction was a system call
	}
	return nil
}

func (s *seized) interrupt() error {
	err := unix.PtraceInterrupt(s.pid)
	if err == nil {
		s.entry, err = s.awaitRegisters(seizePatience)
	}
	if err != nil {
		return fmt.Errorf("stop thread %d: %w", s.pid, err)
	}
	return nil
}

// awaitRegisters waits until the thread is stopped, and returns its registers. It
// asks instead of waiting with wait4, which may take a status from somebody else.
func (s *seized) awaitRegisters(patience time.Duration) (registers, error) {
	overdue := time.NewTimer(patience)
	defer overdue.Stop()
	for tries := 0; ; tries++ {
		regs, err := getRegisters(s.pid)
		if !errors.Is(err, unix.ESRCH) {
			return regs, err
		}
		if tries < 100 {
			runtime.Gosched() // it is a matter of microseconds, most times
			continue
		}
		select {
		case <-overdue.C:
			return regs, fmt.Errorf("it has not stopped within %v: %w", patience, err)
		case <-time.After(50 * time.Microsecond):
		}
	}
}

// sigmask gets or sets what signals the thread blocks.
func (s *seized) sigmask(request int, mask uint64) (uint64, error) {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(s.pid), unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)), 0, 0)
	if errno != 0 {
		return 0, fmt.Errorf("signals of thread %d: %w", s.pid, errno)
	}
	return mask, nil
}

// call makes the process do one system call, by an instruction that is there: others
// of its threads may be about to run what is borrowed from them.
func (s *seized) call(number uint64, args ...uint64) (uint64, error) {
	if err := setRegisters(s.pid, s.entry.calling(number, args).jumping(s.system)); err != nil {
		return 0, err
	}
	for deadline := time.Now().Add(seizePatience); time.Now().Before(deadline); {
		if err := unix.PtraceSingleStep(s.pid); err != nil {
			return 0, err
		}
		now, err := s.awaitRegisters(seizePatience)
		if err != nil {
			return 0, err
		}
		if now.counter() == s.system {
			continue // somebody else stopped or resumed it
		}
		if result := int64(now.result()); result < 0 && result > -4096 {
			return 0, unix.Errno(-result)
		}
		return now.result(), nil
	}
	return 0, fmt.Errorf("thread %d does not get on", s.pid)
}

// poke writes a pointer at an address that is a multiple of its size: at once, so
// that nobody who calls by it meanwhile finds half of it.
func (s *seized) poke(address, pointer uint64) error {
	return s.write(address, binary.NativeEndian.AppendUint64(nil, pointer))
}

// letGo gives the thread its registers and signals back and lets it run, or lets
// it be stopped if somebody stopped its process.
func (s *seized) letGo() error {
	err := setRegisters(s.pid, s.entry)
	_, masked := s.sigmask(ptraceSetSigmask, s.mask)
	detached := unix.PtraceDetach(s.pid)
	if detached != nil {
		stuck = append(stuck, s.pid)
	}
	if err = errors.Join(err, masked, detached); err != nil {
		return fmt.Errorf("let thread %d go: %w", s.pid, err)
	}
	return nil
}

// peekAll reads from a process's memory.
func peekAll(pid int, from uint64, into []byte) error {
	local := []unix.Iovec{{Base: &into[0]}}
	local[0].SetLen(len(into))
	n, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(from), Len: len(into)}}, 0)
	if err == unix.EPERM || err == unix.ENOSYS {
		n, err = peekFile(pid, from, into) // seccomp profiles forbid the call, and not this
	}
	if err == nil && n != len(into) {
		err = fmt.Errorf("%d bytes", n)
	}
	if err != nil {
		return fmt.Errorf("read %d bytes of process %d at %#x: %w", len(into), pid, from, err)
	}
	return nil
}

func peekFile(pid int, from uint64, into []byte) (int, error) {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return 0, err
	}
	defer mem.Close()
	return mem.ReadAt(into, int64(from))
}
