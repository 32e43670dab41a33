package clock

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
)

// maxVDSO bounds what is believed to be a vDSO: real ones have two or three pages.
const maxVDSO = 1 << 20

// vdso is what must be known of the kernel's vDSO to stand in for it: every function that it exports.
type vdso struct {
	machine elf.Machine
	soname  string
	size    uint64 // of what is loaded
	bias    uint64 // from a virtual address, as symbols have it, to an offset
	symbols []symbol
}

// symbol is one exported function.
type symbol struct {
	name    string
	version string // "" without versions
	offset  uint64 // from the start of the vDSO
	bind    elf.SymBind
	value   uint64 // offset of the place in the symbol table that says so
}

// elfHeaders reads the head of a vDSO and returns its program headers, and where in memory the image ends.
func elfHeaders(image []byte) (head elf.Header64, progs []elf.Prog64, size uint64, err error) {
	if _, err = binary.Decode(image, binary.LittleEndian, &head); err != nil {
		return head, nil, 0, fmt.Errorf("no room for an ELF header: %w", err)
	}
	if !bytes.HasPrefix(image, []byte(elf.ELFMAG)) || head.Ident[elf.EI_CLASS] != byte(elf.ELFCLASS64) || head.Ident[elf.EI_DATA] != byte(elf.ELFDATA2LSB) {
		return head, nil, 0, fmt.Errorf("not a 64-bit little-endian ELF image: it begins with %x", image[:8])
	}
	if head.Phnum > 64 || head.Phoff > uint64(len(image)) {
		return head, nil, 0, errors.New("absurd program headers")
	}
	progs = make([]elf.Prog64, head.Phnum)
	if _, err = binary.Decode(image[head.Phoff:], binary.LittleEndian, progs); err != nil {
		return head, nil, 0, fmt.Errorf("no room for program headers: %w", err)
	}
	for _, prog := range progs {
		if elf.ProgType(prog.Type) == elf.PT_LOAD {
			size = max(size, prog.Off+prog.Filesz)
		}
	}
	if size == 0 || size > maxVDSO {
		return head, nil, 0, fmt.Errorf("absurd size %d", size)
	}
	return head, progs, size, nil
}

// parseVDSO reads a vDSO as the kernel maps it. It goes by the dynamic section alone, as a program's loader does: a
// vDSO may lack section headers.
func parseVDSO(image []byte) (*vdso, error) {
	head, progs, size, err := elfHeaders(image)
	if err != nil {
		return nil, err
	}
	if uint64(len(image)) < size {
		return nil, fmt.Errorf("%d bytes of %d", len(image), size)
	}
	p := parser{image: image, tables: map[elf.DynTag]uint64{}}
	for _, prog := range progs {
		switch elf.ProgType(prog.Type) {
		case elf.PT_LOAD:
			if !p.loaded {
				p.loaded, p.bias = true, prog.Off-prog.Vaddr // old kernels link theirs to a high address
			}
		case elf.PT_DYNAMIC:
			p.dynamic(prog.Off)
		}
	}
	v := &vdso{machine: elf.Machine(head.Machine), size: size, bias: p.bias}
	if soname, ok := p.tables[elf.DT_SONAME]; ok {
		v.soname = p.string(soname)
	}
	versions := p.versions()
	for i := range p.count() {
		if s, ok := p.symbol(i, versions); ok {
			v.symbols = append(v.symbols, s)
		}
	}
	return v, p.err
}

// find returns the function of that name, without regard to the prefix that kernels give it.
func (v *vdso) find(name string) (symbol, bool) {
	for _, s := range v.symbols {
		if plainName(s.name) == name {
			return s, true
		}
	}
	return symbol{}, false
}

// parser reads tables of an image. Out of bounds, everything is zero and err is set.
type parser struct {
	image  []byte
	loaded bool
	bias   uint64 // from a virtual address to an offset
	tables map[elf.DynTag]uint64
	err    error
}

// at is n bytes from off on.
func (p *parser) at(off, n uint64) []byte {
	if size := uint64(len(p.image)); off > size || n > size-off {
		if p.err == nil {
			p.err = fmt.Errorf("%d bytes at %#x are outside of the %d bytes of the image", n, off, size)
		}
		return make([]byte, min(n, maxVDSO))
	}
	return p.image[off : off+n]
}

func (p *parser) u16(off uint64) uint16 { return binary.LittleEndian.Uint16(p.at(off, 2)) }
func (p *parser) u32(off uint64) uint32 { return binary.LittleEndian.Uint32(p.at(off, 4)) }
func (p *parser) u64(off uint64) uint64 { return binary.LittleEndian.Uint64(p.at(off, 8)) }

// dynamic reads the dynamic section.
func (p *parser) dynamic(off uint64) {
	for p.err == nil {
		tag := elf.DynTag(p.u64(off))
		if tag == elf.DT_NULL {
			return
		}
		p.tables[tag] = p.u64(off + 8)
		off += 16
	}
}

// table is the offset of a table of the dynamic section.
func (p *parser) table(tag elf.DynTag) (off uint64, ok bool) {
	address, ok := p.tables[tag]
	return address + p.bias, ok
}

// string is the i-th string, by its place in the string table.
func (p *parser) string(i uint64) string {
	base, _ := p.table(elf.DT_STRTAB)
	rest := p.image[min(base+i, uint64(len(p.image))):]
	text, _, ok := bytes.Cut(rest, []byte{0})
	if !ok && p.err == nil {
		p.err = errors.New("a string without an end")
	}
	return string(text)
}

// count is the number of symbols, which only the hash tables tell.
func (p *parser) count() uint32 {
	if hash, ok := p.table(elf.DT_HASH); ok {
		return min(p.u32(hash+4), maxVDSO/elf.Sym64Size)
	}
	hash, ok := p.table(elf.DT_GNU_HASH)
	if !ok {
		if p.err == nil {
			p.err = errors.New("no symbol table")
		}
		return 0
	}
	buckets, first, bloom := p.u32(hash), p.u32(hash+4), p.u32(hash+8)
	bucket := hash + 16 + 8*uint64(bloom)
	last := uint32(0)
	for i := uint32(0); i < buckets && p.err == nil; i++ {
		last = max(last, p.u32(bucket+4*uint64(i)))
	}
	if last < first {
		return first
	}
	chain := bucket + 4*uint64(buckets)
	for p.err == nil && p.u32(chain+4*uint64(last-first))&1 == 0 {
		last++
	}
	return last + 1
}

// symbol returns the i-th symbol, if it is an exported function.
func (p *parser) symbol(i uint32, versions map[uint16]string) (symbol, bool) {
	table, ok := p.table(elf.DT_SYMTAB)
	if !ok || p.err != nil {
		return symbol{}, false
	}
	off := table + elf.Sym64Size*uint64(i)
	info, section := p.at(off+4, 1)[0], elf.SectionIndex(p.u16(off+6))
	bind, kind := elf.ST_BIND(info), elf.ST_TYPE(info)
	if bind != elf.STB_GLOBAL && bind != elf.STB_WEAK || kind != elf.STT_FUNC && kind != elf.STT_NOTYPE ||
		section == elf.SHN_UNDEF || section == elf.SHN_ABS {
		return symbol{}, false
	}
	s := symbol{name: p.string(uint64(p.u32(off))), offset: p.u64(off+8) + p.bias, bind: bind, value: off + 8}
	if versym, ok := p.table(elf.DT_VERSYM); ok {
		s.version = versions[p.u16(versym+2*uint64(i))&0x7fff]
	}
	return s, p.err == nil
}

// versions are the names of the versions defined, by index, without that of the image itself.
func (p *parser) versions() map[uint16]string {
	names := map[uint16]string{}
	off, ok := p.table(elf.DT_VERDEF)
	for ok && p.err == nil {
		flags, index, aux, next := p.u16(off+2), p.u16(off+4), p.u32(off+12), p.u32(off+16)
		if flags&1 == 0 {
			names[index&0x7fff] = p.string(uint64(p.u32(off + uint64(aux))))
		}
		if next == 0 {
			break
		}
		off += uint64(next)
	}
	return names
}
