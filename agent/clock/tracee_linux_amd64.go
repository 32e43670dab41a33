package clock

import (
	_ "embed"
	"errors"

	"golang.org/x/sys/unix"
)

// fakeCode is assembled from fake/amd64.S.
//
//go:embed fake/amd64.bin
var fakeCode []byte

var (
	syscallInstruction = []byte{0x0f, 0x05}
	trapInstruction    = []byte{0xcc}
)

// registers are those of a stopped process.
type registers struct{ unix.PtraceRegs }

func getRegisters(pid int) (r registers, err error) {
	err = unix.PtraceGetRegs(pid, &r.PtraceRegs)
	return r, err
}

func setRegisters(pid int, r registers) error { return unix.PtraceSetRegs(pid, &r.PtraceRegs) }

// native returns an error for a program that does not run in 64-bit mode.
func (r registers) native() error {
	const userCode64 = 0x33
	if r.Cs != userCode64 {
		return errors.New("it is not a 64-bit program")
	}
	return nil
}

func (r registers) counter() uint64 { return r.Rip }
func (r registers) stack() uint64   { return r.Rsp }
func (r registers) result() uint64  { return r.Rax }

// calling is r about to execute the system call instruction.
func (r registers) calling(number uint64, args []uint64) registers {
	r.Rax = number
	for i, to := range []*uint64{&r.Rdi, &r.Rsi, &r.Rdx, &r.R10, &r.R8, &r.R9}[:len(args)] {
		*to = args[i]
	}
	r.Orig_rax = ^uint64(0) // no system call is to be restarted
	return r
}

// entering is r about to execute clock_gettime, with room above the stack pointer. The address to return to must have
// been written below stack.
func (r registers) entering(function, _, stack uint64) registers {
	r.Rip, r.Rsp, r.Rdi, r.Rsi = function, stack-8, 0, stack
	r.Orig_rax = ^uint64(0)
	return r
}

// jumping is r about to go on at address.
func (r registers) jumping(address uint64) registers {
	r.Rip = address
	return r
}

// inSystemCall tells whether the thread was stopped in a system call.
func (r registers) inSystemCall() bool { return int64(r.Orig_rax) >= 0 }
