package clock

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// The words that fake/*.S leave open, and the table of where the functions begin, by offset.
const (
	wordGettime      = 0x00
	wordGettimeofday = 0x08
	wordPage         = 0x10
	wordStart        = 0x18
	tableOfFakes     = 0x20
	endOfTable       = 0x30
)

// fakedNames are the functions in the table of the fake code, in order. The table says 0 for one that is not there.
var fakedNames = [...]string{"clock_gettime", "gettimeofday", "time"}

// plainName is a vDSO function's name without the prefix that kernels give it.
func plainName(name string) string {
	for _, prefix := range []string{"__vdso_", "__kernel_"} {
		if plain, ok := strings.CutPrefix(name, prefix); ok {
			return plain
		}
	}
	return name
}

// disguise is what the image of a fake vDSO depends on.
type disguise struct {
	real  *vdso
	base  uint64 // where the real vDSO is in the process
	at    uint64 // where the image will be
	page  uint64 // where the shared page is
	start uint32 // number of this start of a process
	code  []byte // fake/*.bin
}

// imageSize is a bound for the image's size that does not depend on addresses.
func (d *disguise) imageSize() uint64 {
	return uint64(len(d.code)+1024) + uint64(len(d.real.soname)) + 256*uint64(len(d.real.symbols))
}

// image builds the fake vDSO: an ELF image with the same symbols and versions as the real one. Those that are faked
// lead to the fake code, all others to a jump to the real function.
//
// Both kinds of hash table are there, for C libraries old and new; each has one bucket, a vDSO has a dozen symbols.
func (d *disguise) image() ([]byte, error) {
	code, err := d.fillCode()
	if err != nil {
		return nil, err
	}
	var names stringTable
	soname := names.add(d.real.soname)
	versions, verdef := d.versions(&names)
	b := builder{bytes: make([]byte, elfHeaderSize+2*progHeaderSize+dynEntries*16)}
	symtab := b.place(8, d.symbolTable(&names, nil))
	hash := b.place(8, d.sysvHash())
	gnuHash := b.place(8, d.gnuHash())
	versym := b.place(8, d.versym(versions))
	verdefs := b.place(8, verdef)
	strtab := b.place(1, names.bytes)
	start := b.place(64, code)
	values, stubs := d.functions(start, code)
	b.place(16, stubs)
	copy(b.bytes[symtab:], d.symbolTable(&names, values))

	tags := []uint64{
		uint64(elf.DT_SONAME), soname,
		uint64(elf.DT_HASH), hash,
		uint64(elf.DT_GNU_HASH), gnuHash,
		uint64(elf.DT_STRTAB), strtab,
		uint64(elf.DT_SYMTAB), symtab,
		uint64(elf.DT_STRSZ), uint64(len(names.bytes)),
		uint64(elf.DT_SYMENT), elf.Sym64Size,
		uint64(elf.DT_VERDEF), verdefs,
		uint64(elf.DT_VERDEFNUM), uint64(len(versions) + 1),
		uint64(elf.DT_VERSYM), versym,
		uint64(elf.DT_NULL), 0,
	}
	d.header(b.bytes, tags)
	if uint64(len(b.bytes)) > d.imageSize() {
		return nil, fmt.Errorf("the image has %d bytes, expected at most %d", len(b.bytes), d.imageSize())
	}
	return b.bytes, nil
}

const (
	elfHeaderSize  = 64
	progHeaderSize = 56
	dynEntries     = 11
)

// header fills in the ELF header, the program headers and the dynamic section at the front of image.
func (d *disguise) header(image []byte, tags []uint64) {
	const dynamic = elfHeaderSize + 2*progHeaderSize
	head := elf.Header64{
		Ident:     [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:      uint16(elf.ET_DYN),
		Machine:   uint16(d.real.machine),
		Version:   uint32(elf.EV_CURRENT),
		Phoff:     elfHeaderSize,
		Ehsize:    elfHeaderSize,
		Phentsize: progHeaderSize,
		Phnum:     2,
	}
	progs := [2]elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Filesz: uint64(len(image)), Memsz: d.span(uint64(len(image))), Align: 0x1000},
		{Type: uint32(elf.PT_DYNAMIC), Flags: uint32(elf.PF_R), Off: dynamic, Vaddr: dynamic, Paddr: dynamic, Filesz: dynEntries * 16, Memsz: dynEntries * 16, Align: 8},
	}
	var b []byte
	for _, part := range []any{&head, &progs, tags} {
		b, _ = binary.Append(b, binary.LittleEndian, part) // cannot fail: all sizes are fixed
	}
	copy(image, b)
}

// maxSpan is how far behind the fake vDSO the real one may be to be claimed as part of it.
const maxSpan = 256 << 10

// span is the size in memory that the image claims: up to the end of the real vDSO if that lies right behind it, as
// it does on arm64. Go on arm64, when a signal arrives, trusts the register that holds its g unless the program
// counter is in the vDSO, and the fake functions call the real ones. On amd64 it always asks the thread's storage.
func (d *disguise) span(size uint64) uint64 {
	if end := d.base + d.real.size; d.real.machine == elf.EM_AARCH64 && end > d.at && end-d.at <= maxSpan {
		return end - d.at
	}
	return size
}

// fillCode is the fake code with its open words filled in.
func (d *disguise) fillCode() ([]byte, error) {
	gettime, ok := d.real.find("clock_gettime")
	if !ok {
		return nil, fmt.Errorf("the vDSO has no clock_gettime")
	}
	code := slices.Clone(d.code)
	put := binary.LittleEndian.PutUint64
	put(code[wordGettime:], d.base+gettime.offset)
	if gettimeofday, ok := d.real.find("gettimeofday"); ok {
		put(code[wordGettimeofday:], d.base+gettimeofday.offset)
	}
	put(code[wordPage:], d.page)
	put(code[wordStart:], uint64(d.start)<<32)
	return code, nil
}

// fakes are the offsets of the fake functions in code, by plain name.
func fakes(code []byte) map[string]uint64 {
	offsets := map[string]uint64{}
	for i, name := range fakedNames {
		if off := binary.LittleEndian.Uint32(code[tableOfFakes+4*i:]); off != 0 {
			offsets[name] = uint64(off)
		}
	}
	return offsets
}

// functions decides where each symbol leads, as offsets in the image whose code is at start, and makes the jumps to
// the real functions, which follow the code.
func (d *disguise) functions(start uint64, code []byte) (values []uint64, stubs []byte) {
	faked := fakes(code)
	behind := align(start+uint64(len(code)), 16)
	for _, s := range d.real.symbols {
		if off, ok := faked[plainName(s.name)]; ok {
			values = append(values, start+off)
			continue
		}
		values = append(values, behind+uint64(len(stubs)))
		stubs = append(stubs, jump(d.real.machine, d.base+s.offset)...)
	}
	return values, stubs
}

// jump is 16 bytes of code that go to an absolute address and touch no register that a function may rely on.
func jump(machine elf.Machine, to uint64) []byte {
	code := []byte{0xff, 0x25, 2, 0, 0, 0, 0xcc, 0xcc} // jmp [rip+2]; int3; int3
	if machine == elf.EM_AARCH64 {
		code = []byte{0x50, 0, 0, 0x58, 0, 2, 0x1f, 0xd6} // ldr x16, .+8; br x16
	}
	return binary.LittleEndian.AppendUint64(code, to)
}
