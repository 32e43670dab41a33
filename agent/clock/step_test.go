//go:build linux && (amd64 || arm64)

package clock

import (
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// stillAt returns records that all have the clock stand still at the same time, by their numbers taken together in
// different ways: any mixture of two of them shows another time.
func stillAt(ns int64, number int64) record {
	r := record{base: number * 1e15, offset: ns - number*1e15, rate: -rateUnit}
	if number%3 == 0 {
		r.rate, r.frozen = 0, 1
	}
	return r
}

// A skew that is set between any two instructions of a reading is seen as a whole, or not at all. A process is made
// to stop after each instruction in turn, and finds the skew changed twice when it goes on.
func TestSetBetweenAnyTwoInstructions(t *testing.T) {
	c := newClock(t)
	const want = 1_234_567_890_123_456_789
	instructions := 0
	done := errors.New("done")
	err := startTraced(child("idle"), c.page.file, func(p *tracee, fd uint64) error {
		gettime, err := p.disguise(fd, 1)
		if err != nil {
			return err
		}
		return errors.Join(done, p.borrow(trapInstruction, func() error {
			number := int64(0)
			publish := func() { number++; c.page.publish(stillAt(want, number)) }
			// Bounded, since on arm64 the counting of readings never gets done when it is stopped in the middle.
			for publish(); instructions < 200; instructions++ {
				got, early, err := readStopped(p, gettime, instructions, func() { publish(); publish() })
				if err != nil {
					return err
				}
				if early {
					return nil
				}
				if got != want {
					t.Errorf("set after %d instructions: got %d, want %d", instructions, got, want)
				}
			}
			return nil
		}))
	})
	if !errors.Is(err, done) || errors.Is(err, unix.ESRCH) {
		t.Fatal(err)
	}
	if instructions < 50 {
		t.Errorf("a reading took %d instructions", instructions)
	}
	t.Logf("%d instructions: %v", instructions, err)
}

// readStopped has p call the function gettime, do something after a number of instructions, and finish. If it
// finishes early, there are no more of them.
func readStopped(p *tracee, gettime uint64, instructions int, do func()) (got int64, early bool, err error) {
	at := p.entry.counter()
	stack := (p.entry.stack() - 4096) &^ 15
	if err := p.write(stack-8, binary.NativeEndian.AppendUint64(nil, at)); err != nil {
		return 0, false, err
	}
	if err := setRegisters(p.pid, p.entry.entering(gettime, at, stack)); err != nil {
		return 0, false, err
	}
	for range instructions {
		if err := errors.Join(unix.PtraceSingleStep(p.pid), p.awaitStop()); err != nil {
			return 0, false, err
		}
		now, err := getRegisters(p.pid)
		if err != nil || now.counter() == at {
			return 0, true, err
		}
	}
	do()
	if err := errors.Join(unix.PtraceCont(p.pid, 0), p.awaitStop()); err != nil {
		return 0, false, err
	}
	var result [16]byte
	err = p.read(stack, result[:])
	return int64(binary.NativeEndian.Uint64(result[:]))*1e9 + int64(binary.NativeEndian.Uint64(result[8:])), false, err
}
