package clock

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
)

// kernelsVDSO is the vDSO as this kernel gives it to every process: this program's
// own, which nobody has changed, and its bytes.
var kernelsVDSO = sync.OnceValues(func() (*kernels, error) {
	image, _, err := vdsoOf(os.Getpid())
	if err != nil {
		return nil, err
	}
	v, err := parseVDSO(image)
	if err != nil {
		return nil, err
	}
	for _, name := range fakedNames {
		if s, ok := v.find(name); ok && s.offset >= v.size {
			return nil, fmt.Errorf("this program's own vDSO was changed: %s is at %#x", name, s.offset)
		}
	}
	system := bytes.Index(image, syscallInstruction)
	if system < 0 {
		return nil, errors.New("the vDSO has no system call in it")
	}
	return &kernels{vdso: v, system: uint64(system)}, nil
})

// kernels is the vDSO of the kernel.
type kernels struct {
	*vdso
	system uint64 // offset of a system call instruction
}

// vdsoOf reads the vDSO of a process as it is there now, and tells where that is.
func vdsoOf(pid int) (image []byte, base uint64, err error) {
	all, err := areas(pid)
	if err != nil {
		return nil, 0, err
	}
	a, ok := find(all, "[vdso]")
	if !ok {
		return nil, 0, fmt.Errorf("process %d has no vDSO: it has ended, or this kernel has none", pid)
	}
	image = make([]byte, a.end-a.start)
	return image, a.start, peekAll(pid, a.start, image)
}

// lookup is a vDSO in a process, real or fake: something that functions are looked up in.
type lookup struct {
	*vdso
	at uint64
}

// fakeVDSOs finds the fake vDSOs in a process, whoever put them there: memory under no
// name that can be executed and begins as the real one does, with other functions.
func fakeVDSOs(pid int, all []area, real *vdso) ([]lookup, error) {
	var found []lookup
	for _, a := range all {
		if !a.anonymous() || a.writable() || !a.executable() || a.end-a.start > maxVDSO {
			continue
		}
		image := make([]byte, a.end-a.start)
		if err := peekAll(pid, a.start, image); err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(image, []byte(elf.ELFMAG)) {
			continue
		}
		if v, err := parseVDSO(image); err == nil && v.soname == real.soname && v.machine == real.machine {
			found = append(found, lookup{v, a.start})
		}
	}
	return found, nil
}

// address is where a function is.
func (l lookup) address(name string) (uint64, bool) {
	s, ok := l.find(name)
	return l.at + s.offset, ok
}

// redirect has the functions of l found at other addresses by whoever looks them up
// from now on.
func (s *seized) redirect(l lookup, to func(name string) (uint64, bool)) error {
	for _, symbol := range l.symbols {
		address, ok := to(plainName(symbol.name))
		if !ok {
			continue
		}
		if err := s.poke(l.at+symbol.value, address-l.at-l.bias); err != nil {
			return fmt.Errorf("redirect %s: %w", symbol.name, err)
		}
	}
	return nil
}

// pointersAtOnce is how much of a process's memory is read at once.
const pointersAtOnce = 1 << 20

// pointers calls found for every word in the data of a process that is one of want.
func pointers(pid int, want map[uint64]uint64, found func(at, value uint64) error) error {
	all, err := areas(pid)
	if err != nil {
		return err
	}
	var low, high uint64 = ^uint64(0), 0 // most words are neither
	for value := range want {
		low, high = min(low, value), max(high, value)
	}
	buf := make([]byte, pointersAtOnce)
	for _, a := range data(all) {
		for from := a.start; from < a.end; from += pointersAtOnce {
			part := buf[:min(pointersAtOnce, a.end-from)]
			if peekAll(pid, from, part) != nil {
				break // beyond the end of the file, or gone meanwhile
			}
			for i := 0; i+8 <= len(part); i += 8 {
				value := binary.NativeEndian.Uint64(part[i:])
				if value < low || value > high {
					continue
				}
				if _, ok := want[value]; !ok {
					continue
				}
				if err := found(from+uint64(i), value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
