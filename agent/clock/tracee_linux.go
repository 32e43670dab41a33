//go:build linux && (amd64 || arm64)

package clock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// atSysinfoEHDR is the type of the entry of the auxiliary vector that tells a program where the vDSO is.
const atSysinfoEHDR = 33

// stopWithin is how long a process may take to stop for its tracer. It is microseconds, unless the machine is stuck.
const stopWithin = 10 * time.Second

// tracee is a child process that has executed its program, and is stopped before its first instruction.
type tracee struct {
	pid     int
	entry   registers     // as the program is to start with
	signals []unix.Signal // that came meanwhile
}

// awaitExec waits until the process has stopped for the first time.
func (t *tracee) awaitExec() error {
	if err := t.awaitStop(); err != nil {
		return fmt.Errorf("wait for the program to be executed: %w", err)
	}
	entry, err := getRegisters(t.pid)
	if err != nil {
		return fmt.Errorf("read registers: %w", err)
	}
	t.entry = entry
	return entry.native()
}

// awaitStop waits until the process is stopped. It asks the process instead of waiting with wait4, which a collector
// of orphans in the same program could be faster at.
func (t *tracee) awaitStop() error {
	overdue := time.NewTimer(stopWithin)
	defer overdue.Stop()
	for tries := 0; ; tries++ {
		signal, err := t.stoppedBy()
		if err == nil {
			if signal != unix.SIGTRAP {
				t.signals = append(t.signals, signal)
			}
			return nil
		}
		if !errors.Is(err, unix.ESRCH) {
			return err
		}
		var info unix.Siginfo
		err = unix.Waitid(unix.P_PID, t.pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if err == unix.ECHILD || err == nil && info.Signo == int32(unix.SIGCHLD) && info.Code != cldTrapped {
			return errors.New("it has ended")
		}
		if tries < 100 {
			runtime.Gosched() // it is a matter of microseconds, most times
			continue
		}
		select {
		case <-overdue.C:
			return fmt.Errorf("it has not stopped within %v", stopWithin)
		case <-time.After(50 * time.Microsecond):
		}
	}
}

// cldTrapped is the code with which waitid reports a stop for the tracer: it does so asked or not.
const cldTrapped = 4

// stoppedBy returns the signal that stopped the process, ESRCH if it is not stopped.
func (t *tracee) stoppedBy() (unix.Signal, error) {
	var info [128]byte // siginfo_t
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GETSIGINFO, uintptr(t.pid), 0, uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return unix.Signal(binary.NativeEndian.Uint32(info[:])), nil
}

// read reads the process's memory.
func (t *tracee) read(at uint64, b []byte) error {
	if n, err := unix.PtracePeekData(t.pid, uintptr(at), b); err != nil || n != len(b) {
		return fmt.Errorf("read %d bytes at %#x: %d: %w", len(b), at, n, err)
	}
	return nil
}

// write writes to the process's memory, whatever its protection. Word by word through ptrace: /proc/PID/mem is refused
// to the superuser of a container who has no capabilities, and by some kernels to everybody.
func (t *tracee) write(at uint64, b []byte) error {
	if n, err := unix.PtracePokeData(t.pid, uintptr(at), b); err != nil || n != len(b) {
		return fmt.Errorf("write %d bytes at %#x: %d: %w", len(b), at, n, err)
	}
	return nil
}

func (t *tracee) word(at uint64) (uint64, error) {
	var b [8]byte
	err := t.read(at, b[:])
	return binary.NativeEndian.Uint64(b[:]), err
}

// auxiliary finds an entry of the auxiliary vector: where its value is, and the value. On the stack are the number of
// arguments, their addresses and 0, those of the environment and 0, and pairs of type and value up to type 0.
func (t *tracee) auxiliary(kind uint64) (at, value uint64, err error) {
	argc, err := t.word(t.entry.stack())
	if err != nil {
		return 0, 0, err
	}
	at = t.entry.stack() + 8*(argc+2)
	for word := uint64(1); word != 0; at += 8 {
		if word, err = t.word(at); err != nil {
			return 0, 0, err
		}
	}
	for ; ; at += 16 {
		found, err := t.word(at)
		if err != nil {
			return 0, 0, err
		}
		if found == kind {
			value, err = t.word(at + 8)
			return at + 8, value, err
		}
		if found == 0 {
			return 0, 0, fmt.Errorf("no entry %d in the auxiliary vector", kind)
		}
	}
}

// realVDSO reads the vDSO at base.
func (t *tracee) realVDSO(base uint64) (*vdso, error) {
	const enoughForHeaders = 1024
	image := make([]byte, enoughForHeaders)
	if err := t.read(base, image); err != nil {
		return nil, err
	}
	_, _, size, err := elfHeaders(image)
	if err != nil {
		return nil, err
	}
	image = make([]byte, size)
	if err := t.read(base, image); err != nil {
		return nil, err
	}
	return parseVDSO(image)
}

// disguise gives the process a fake vDSO whose functions go by the page that it has open as fd. It returns the address
// of the fake clock_gettime.
func (t *tracee) disguise(fd uint64, start uint32) (gettime uint64, err error) {
	at, base, err := t.auxiliary(atSysinfoEHDR)
	if err != nil {
		return 0, fmt.Errorf("find the vDSO: %w", err)
	}
	if base == 0 {
		return 0, errors.New("find the vDSO: this kernel has none, or it is disabled")
	}
	real, err := t.realVDSO(base)
	if err != nil {
		return 0, fmt.Errorf("read the vDSO at %#x: %w", base, err)
	}
	d := disguise{real: real, base: base, start: start, code: fakeCode}
	if err := t.makeRoom(&d, fd); err != nil {
		return 0, err
	}
	image, err := d.image()
	if err != nil {
		return 0, fmt.Errorf("build a vDSO: %w", err)
	}
	if err := t.write(d.at, image); err != nil {
		return 0, fmt.Errorf("write the fake vDSO: %w", err)
	}
	fake, err := parseVDSO(image)
	if err != nil {
		return 0, fmt.Errorf("build a vDSO: %w", err)
	}
	function, _ := fake.find("clock_gettime") // it is there: image would have refused
	if err := t.write(at, binary.NativeEndian.AppendUint64(nil, d.at)); err != nil {
		return 0, fmt.Errorf("announce the fake vDSO: %w", err)
	}
	return d.at + function.offset, nil
}

// makeRoom has the process map room for the image, and the page, and close fd. The image comes first: the next free
// addresses are on many kernels those right below the real vDSO, see disguise.span.
func (t *tracee) makeRoom(d *disguise, fd uint64) error {
	pageSize := uint64(os.Getpagesize())
	return t.borrow(syscallInstruction, func() error {
		var err error
		d.at, err = t.call(unix.SYS_MMAP, 0, align(d.imageSize(), pageSize), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uint64(0), 0)
		if err != nil {
			return fmt.Errorf("make room for the fake vDSO: %w", err)
		}
		d.page, err = t.call(unix.SYS_MMAP, 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED, fd, 0)
		if err != nil {
			return fmt.Errorf("map the shared page: %w", err)
		}
		if _, err := t.call(unix.SYS_CLOSE, fd); err != nil {
			return fmt.Errorf("close the shared page's file: %w", err)
		}
		return nil
	})
}

// borrow puts instructions where the program starts while do runs, then restores code and registers.
func (t *tracee) borrow(instructions []byte, do func() error) error {
	at := t.entry.counter()
	saved := make([]byte, len(instructions))
	if err := t.read(at, saved); err != nil {
		return fmt.Errorf("read the program's first instructions: %w", err)
	}
	if err := t.write(at, instructions); err != nil {
		return fmt.Errorf("borrow the program's first instructions: %w", err)
	}
	return errors.Join(do(), t.write(at, saved), setRegisters(t.pid, t.entry))
}

// call makes the process do one system call, with a system call instruction borrowed.
func (t *tracee) call(number uint64, args ...uint64) (uint64, error) {
	if err := setRegisters(t.pid, t.entry.calling(number, args)); err != nil {
		return 0, err
	}
	for {
		if err := unix.PtraceSingleStep(t.pid); err != nil {
			return 0, err
		}
		if err := t.awaitStop(); err != nil {
			return 0, err
		}
		now, err := getRegisters(t.pid)
		if err != nil {
			return 0, err
		}
		if now.counter() == t.entry.counter() {
			continue // a signal came first; it is kept for later
		}
		if result := int64(now.result()); result < 0 && result > -4096 {
			return 0, unix.Errno(-result)
		}
		return now.result(), nil
	}
}

// run has the process call the function clock_gettime at address, with CLOCK_REALTIME and room on its stack.
func (t *tracee) run(address uint64) error {
	err := t.borrow(trapInstruction, func() error {
		at := t.entry.counter()
		stack := (t.entry.stack() - 4096) &^ 15 // the result goes above it
		regs := t.entry.entering(address, at, stack)
		if err := t.write(stack-8, binary.NativeEndian.AppendUint64(nil, at)); err != nil {
			return err
		}
		if err := setRegisters(t.pid, regs); err != nil {
			return err
		}
		if err := unix.PtraceCont(t.pid, 0); err != nil {
			return err
		}
		if err := t.awaitStop(); err != nil {
			return err
		}
		now, err := getRegisters(t.pid)
		if err == nil && (len(t.signals) > 0 || now.result() != 0) {
			err = fmt.Errorf("result %#x, signals %v, program counter %#x", now.result(), t.signals, now.counter())
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the clock once: %w", err)
	}
	return nil
}

// release lets the process run, untraced, and gives it the signals that came meanwhile.
func (t *tracee) release() error {
	if err := unix.PtraceDetach(t.pid); err != nil {
		return fmt.Errorf("detach: %w", err)
	}
	for _, signal := range t.signals {
		if err := unix.Kill(t.pid, signal); err != nil && err != unix.ESRCH {
			return fmt.Errorf("pass on %v: %w", signal, err)
		}
	}
	return nil
}
