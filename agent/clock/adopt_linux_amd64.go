package clock

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// swapRounds bounds how often the pointers of a process are looked through until
// none is left: a second time for those that were stored meanwhile.
const swapRounds = 5

// adopt has a running process go by the page: it is made to map the page and a fake
// vDSO, as one that is started is, and pointers to the old functions are changed to
// the new ones.
func adopt(pid int, m *mapping, start uint32) error {
	return inTracer(func() error {
		return withSeized(pid, func(s *seized, k *kernels, base uint64) error {
			old, err := lookups(pid, k, base)
			if err != nil {
				return err
			}
			d := disguise{real: k.vdso, base: base, start: start, code: fakeCode}
			if err := s.makeRoom(&d, m); err != nil {
				return err
			}
			image, err := d.image()
			if err != nil {
				return fmt.Errorf("build a vDSO: %w", err)
			}
			if err := s.write(d.at, image); err != nil {
				return fmt.Errorf("write the fake vDSO: %w", err)
			}
			fake, err := parseVDSO(image)
			if err != nil {
				return fmt.Errorf("build a vDSO: %w", err)
			}
			return s.swap(pid, old, lookup{fake, d.at})
		})
	})
}

// disown has a running process go by the machine's clock again, whoever gave it
// another one. What was mapped stays: a thread may be about to return to it.
func disown(pid int) error {
	return inTracer(func() error {
		return withSeized(pid, func(s *seized, k *kernels, base uint64) error {
			old, err := lookups(pid, k, base)
			if err != nil {
				return err
			}
			return s.swap(pid, old, lookup{k.vdso, base})
		})
	})
}

// withSeized does do with a process of which one thread is stopped.
func withSeized(pid int, do func(s *seized, k *kernels, base uint64) error) error {
	k, err := kernelsVDSO()
	if err != nil {
		return fmt.Errorf("the kernel's vDSO: %w", err)
	}
	s, err := seize(pid)
	if err != nil {
		return err
	}
	_, base, err := vdsoOf(pid)
	if err == nil {
		s.system = base + k.system
		err = do(s, k, base)
	}
	return errors.Join(err, s.letGo())
}

// lookups are the real vDSO of a process at base and all fake ones.
func lookups(pid int, k *kernels, base uint64) ([]lookup, error) {
	all, err := areas(pid)
	if err != nil {
		return nil, err
	}
	found, err := fakeVDSOs(pid, all, k.vdso)
	return append([]lookup{{k.vdso, base}}, found...), err
}

// swap has the functions that tell the time found in to, and no longer in any of
// old: by who looks them up later, and by who has done so and kept the pointer.
func (s *seized) swap(pid int, old []lookup, to lookup) error {
	want := make(map[uint64]uint64)
	for _, name := range fakedNames {
		address, ok := to.address(name)
		if !ok {
			continue
		}
		for _, l := range old {
			if from, ok := l.address(name); ok && from != address {
				want[from] = address
			}
		}
	}
	for _, l := range old {
		if err := s.redirect(l, timeOnly(to)); err != nil {
			return err
		}
	}
	for range swapRounds {
		left := 0
		err := pointers(pid, want, func(at, value uint64) error {
			left++
			return s.poke(at, want[value])
		})
		if err != nil || left == 0 {
			return err
		}
	}
	return fmt.Errorf("process %d looks the time up as fast as its pointers are swapped", pid)
}

// timeOnly looks up the functions that tell the time, and no others.
func timeOnly(l lookup) func(string) (uint64, bool) {
	return func(name string) (uint64, bool) {
		for _, faked := range fakedNames {
			if name == faked {
				return l.address(name)
			}
		}
		return 0, false
	}
}

// makeRoom has the process map room for the image, and the page.
func (s *seized) makeRoom(d *disguise, m *mapping) error {
	pageSize := uint64(os.Getpagesize())
	var err error
	d.at, err = s.call(unix.SYS_MMAP, 0, align(d.imageSize(), pageSize), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uint64(0), 0)
	if err != nil {
		return fmt.Errorf("make room for the fake vDSO: %w", err)
	}
	fd, err := s.open(d.at, m)
	if err != nil {
		return err
	}
	d.page, err = s.call(unix.SYS_MMAP, 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED, fd, 0)
	if err != nil {
		err = fmt.Errorf("map the shared page: %w", err)
	}
	if _, closed := s.call(unix.SYS_CLOSE, fd); closed != nil {
		err = errors.Join(err, fmt.Errorf("close the shared page's file: %w", closed))
	}
	return err
}

// open has the process open the page's file, by a path written to room.
func (s *seized) open(room uint64, m *mapping) (fd uint64, err error) {
	path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", m.file.Fd())) // it was renamed
	if err != nil {
		return 0, err
	}
	if err := s.write(room, append([]byte(path), 0)); err != nil {
		return 0, fmt.Errorf("name the shared page: %w", err)
	}
	if err := giveTo(s.pid, m.file); err != nil {
		return 0, err
	}
	const atFDCWD = ^uint64(99)
	fd, err = s.call(unix.SYS_OPENAT, atFDCWD, room, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("the process cannot open %s: %w", path, err)
	}
	return fd, nil
}

// giveTo makes the user that a process acts as a file's owner, so that the process
// may open it.
func giveTo(pid int, file *os.File) error {
	var is, want unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &is); err != nil {
		return fmt.Errorf("the shared page: %w", err)
	}
	if err := unix.Stat(fmt.Sprintf("/proc/%d", pid), &want); err != nil {
		return err
	}
	if is.Uid == want.Uid {
		return nil
	}
	if err := file.Chown(int(want.Uid), -1); err != nil {
		return fmt.Errorf("give the shared page to the process's user: %w", err)
	}
	return nil
}
