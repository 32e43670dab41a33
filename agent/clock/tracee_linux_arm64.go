package clock

import (
	_ "embed"
	"errors"

	"golang.org/x/sys/unix"
)

// fakeCode is assembled from fake/arm64.S.
//
//go:embed fake/arm64.bin
var fakeCode []byte

var (
	syscallInstruction = []byte{0x01, 0x00, 0x00, 0xd4} // svc #0
	trapInstruction    = []byte{0x00, 0x00, 0x20, 0xd4} // brk #0
)

// ntPRStatus names the set of general registers.
const ntPRStatus = 1

// registers are those of a stopped process.
type registers struct{ unix.PtraceRegsArm64 }

func getRegisters(pid int) (r registers, err error) {
	err = unix.PtraceGetRegSetArm64(pid, ntPRStatus, &r.PtraceRegsArm64)
	return r, err
}

func setRegisters(pid int, r registers) error {
	return unix.PtraceSetRegSetArm64(pid, ntPRStatus, &r.PtraceRegsArm64)
}

// native returns an error for a program that does not run in 64-bit mode.
func (r registers) native() error {
	const mode32 = 1 << 4
	if r.Pstate&mode32 != 0 || r.Sp == 0 {
		return errors.New("it is not a 64-bit program")
	}
	return nil
}

func (r registers) counter() uint64 { return r.Pc }
func (r registers) stack() uint64   { return r.Sp }
func (r registers) result() uint64  { return r.Regs[0] }

// calling is r about to execute the system call instruction.
func (r registers) calling(number uint64, args []uint64) registers {
	r.Regs[8] = number
	copy(r.Regs[:6], args)
	return r
}

// entering is r about to execute clock_gettime, with room above the stack pointer, which returns to back.
func (r registers) entering(function, back, stack uint64) registers {
	r.Pc, r.Sp, r.Regs[0], r.Regs[1], r.Regs[30] = function, stack, 0, stack, back
	return r
}
