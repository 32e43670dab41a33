package clock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"unsafe"
)

// pageMagic opens every page; the last digit is the version of the layout.
const pageMagic = 0x31_6b636f6c63_7a66 // "fzclock1"

// skewedClocks are the ids of the clocks that a skew applies to, as bits: CLOCK_REALTIME and CLOCK_REALTIME_COARSE.
// Monotonic clocks are left alone: a machine's wall clock can be wrong, while time that passes at another rate or
// goes backwards would be a kernel that is broken.
const skewedClocks = 1<<0 | 1<<5

// page is the memory that this program shares with the processes whose clock it skews, mapped from a file. The fake
// functions in fake/*.S go by the same offsets.
type page struct {
	magic  uint64
	seq    uint64 // number of the skew in force; its low bit chooses the record
	mask   uint32 // bit n set: clock id n is skewed
	_      uint32
	starts uint64 // processes started so far
	_      [4]uint64

	// Two, so that a skew is written where nobody looks and then put in force by one store to seq: a reader that
	// finds seq changed behind it starts over, and a writer killed halfway leaves no reader waiting.
	records [2]record
	_       [8]uint64

	// What a process saw when it read its clock last. Each field is stored at once, but several threads may mix
	// theirs: whoever compares them looks again before drawing a conclusion.
	reads uint64 // readings so far, by all processes
	delta int64  // what the reading was off by, ns
	real  int64  // the machine's clock at the reading, ns since 1970
	tag   uint64 // low half: seq that the reading went by; high half: starts when the process was started
}

// publish puts r in force for all readers at once.
func (p *page) publish(r record) {
	seq := atomic.LoadUint64(&p.seq) + 1
	to := &p.records[seq&1]
	atomic.StoreInt64(&to.base, r.base)
	atomic.StoreInt64(&to.offset, r.offset)
	atomic.StoreInt64(&to.rate, r.rate)
	atomic.StoreInt64(&to.strobe, r.strobe)
	atomic.StoreInt64(&to.frozen, r.frozen)
	atomic.StoreUint64(&to.drift, r.drift)
	atomic.StoreUint32(&p.mask, skewedClocks)
	atomic.StoreUint64(&p.magic, pageMagic)
	atomic.StoreUint64(&p.seq, seq)
}

// inForce is the record that readers go by now, and its number.
func (p *page) inForce() (record, uint64) {
	seq := atomic.LoadUint64(&p.seq)
	from := &p.records[seq&1]
	return record{
		base:   atomic.LoadInt64(&from.base),
		offset: atomic.LoadInt64(&from.offset),
		rate:   atomic.LoadInt64(&from.rate),
		strobe: atomic.LoadInt64(&from.strobe),
		frozen: atomic.LoadInt64(&from.frozen),
		drift:  atomic.LoadUint64(&from.drift),
	}, seq
}

// observation is what a process noted about its last reading.
type observation struct {
	reads       uint64
	delta, real int64
	seq, start  uint32
}

// observe returns the last reading. The tag is loaded first, so that the rest is no older than the tag says.
func (p *page) observe() observation {
	tag := atomic.LoadUint64(&p.tag)
	return observation{
		seq:   uint32(tag),
		start: uint32(tag >> 32),
		delta: atomic.LoadInt64(&p.delta),
		real:  atomic.LoadInt64(&p.real),
		reads: atomic.LoadUint64(&p.reads),
	}
}

// mapping is a page with the file it is mapped from.
type mapping struct {
	*page
	file   *os.File
	memory []byte
}

// createPage makes a page at path with the right time in force. The file is new even if there was one: a process
// that an earlier program started keeps the page it has.
func createPage(path string) (*mapping, error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	m, err := fillPage(file)
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
		file.Close()
		return nil, err
	}
	return m, nil
}

// fillPage makes file a page with the right time in force.
func fillPage(file *os.File) (*mapping, error) {
	// Written, not just made long: a store to a hole on a full disk would kill the process that reads its clock.
	if _, err := file.Write(make([]byte, os.Getpagesize())); err != nil {
		return nil, err
	}
	m, err := mapPage(file)
	if err != nil {
		return nil, err
	}
	m.publish(record{})
	return m, nil
}

// openPage maps the page at path that another program made.
func openPage(path string) (*mapping, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() != int64(os.Getpagesize())) {
		err = errors.New("not a clock's page: wrong size")
	}
	var m *mapping
	if err == nil {
		m, err = mapPage(file)
	}
	if err == nil && atomic.LoadUint64(&m.magic) != pageMagic {
		err = errors.Join(fmt.Errorf("not a clock's page: it begins with %#x", m.magic), unmap(m.memory))
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return m, nil
}

func mapPage(file *os.File) (*mapping, error) {
	memory, err := mapShared(file, os.Getpagesize())
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", file.Name(), err)
	}
	return &mapping{page: (*page)(unsafe.Pointer(&memory[0])), file: file, memory: memory}, nil
}

// close gives up the mapping; processes that have it keep it.
func (m *mapping) close() error {
	return errors.Join(unmap(m.memory), m.file.Close())
}
