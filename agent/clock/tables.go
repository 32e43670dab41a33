package clock

import (
	"debug/elf"
	"encoding/binary"
	"slices"
)

// builder lays out an image.
type builder struct{ bytes []byte }

// place appends data at a multiple of to and returns where.
func (b *builder) place(to uint64, data []byte) uint64 {
	at := align(uint64(len(b.bytes)), to)
	b.bytes = append(slices.Grow(b.bytes, len(data)+int(to)), make([]byte, at-uint64(len(b.bytes)))...)
	b.bytes = append(b.bytes, data...)
	return at
}

// align rounds n up to a multiple of to, a power of two.
func align(n, to uint64) uint64 { return (n + to - 1) &^ (to - 1) }

// stringTable is an ELF string table in the making.
type stringTable struct {
	bytes []byte
	known map[string]uint64
}

// add returns the place of s in the table.
func (t *stringTable) add(s string) uint64 {
	if t.known == nil {
		t.bytes, t.known = []byte{0}, map[string]uint64{"": 0}
	}
	at, ok := t.known[s]
	if !ok {
		at = uint64(len(t.bytes))
		t.known[s] = at
		t.bytes = append(append(t.bytes, s...), 0)
	}
	return at
}

// symbolTable is .dynsym, with the functions at values, or at 0 while these are not known.
func (d *disguise) symbolTable(names *stringTable, values []uint64) []byte {
	table := make([]byte, elf.Sym64Size)
	for i, s := range d.real.symbols {
		entry := elf.Sym64{
			Name:  uint32(names.add(s.name)),
			Info:  byte(s.bind)<<4 | byte(elf.STT_FUNC),
			Shndx: 1, // any section: loaders only ask whether it is defined
			Size:  16,
		}
		if values != nil {
			entry.Value = values[i]
		}
		table, _ = binary.Append(table, binary.LittleEndian, entry) // cannot fail: the size is fixed
	}
	return table
}

// versions gives each version an index, from 2 on, and makes .gnu.version_d, which begins with the image itself as 1.
func (d *disguise) versions(names *stringTable) (index map[string]uint16, verdef []byte) {
	index = map[string]uint16{}
	order := []string{d.real.soname}
	for _, s := range d.real.symbols {
		if _, ok := index[s.version]; !ok && s.version != "" {
			order = append(order, s.version)
			index[s.version] = uint16(len(order))
		}
	}
	le := binary.LittleEndian
	for i, name := range order {
		flags, next := uint16(0), uint32(28)
		if i == 0 {
			flags = 1 // VER_FLG_BASE
		}
		if i == len(order)-1 {
			next = 0
		}
		verdef = le.AppendUint16(verdef, 1) // version of this structure
		verdef = le.AppendUint16(verdef, flags)
		verdef = le.AppendUint16(verdef, uint16(i+1))
		verdef = le.AppendUint16(verdef, 1) // one name, behind this entry
		verdef = le.AppendUint32(verdef, sysvHash(name))
		verdef = le.AppendUint32(verdef, 20)
		verdef = le.AppendUint32(verdef, next)
		verdef = le.AppendUint32(verdef, uint32(names.add(name)))
		verdef = le.AppendUint32(verdef, 0)
	}
	return index, verdef
}

// versym is .gnu.version: each symbol's version.
func (d *disguise) versym(index map[string]uint16) []byte {
	table := []byte{0, 0}
	for _, s := range d.real.symbols {
		version, ok := index[s.version]
		if !ok {
			version = 1 // global, without a version
		}
		table = binary.LittleEndian.AppendUint16(table, version)
	}
	return table
}

// sysvHash is .hash: one bucket, and a chain through all symbols.
func (d *disguise) sysvHash() []byte {
	n := uint32(len(d.real.symbols) + 1)
	words := []uint32{1, n, min(1, n-1), 0}
	for i := uint32(1); i < n; i++ {
		words = append(words, (i+1)%n)
	}
	return appendWords(words)
}

// gnuHash is .gnu.hash: one bucket, and a Bloom filter that lets everything through.
func (d *disguise) gnuHash() []byte {
	const first = 1 // symbol 0 is none
	words := []uint32{1, first, 1, 0, ^uint32(0), ^uint32(0), first}
	for i, s := range d.real.symbols {
		hash := gnuHash(s.name) &^ 1
		if i == len(d.real.symbols)-1 {
			hash |= 1 // end of the chain
		}
		words = append(words, hash)
	}
	return appendWords(words)
}

func appendWords(words []uint32) (table []byte) {
	for _, w := range words {
		table = binary.LittleEndian.AppendUint32(table, w)
	}
	return table
}

// sysvHash is the hash function of System V's ABI, which versions are compared by as well.
func sysvHash(name string) (hash uint32) {
	for _, c := range []byte(name) {
		hash = hash<<4 + uint32(c)
		if high := hash & 0xf0000000; high != 0 {
			hash ^= high>>24 ^ high
		}
	}
	return hash
}

// gnuHash is the hash function of .gnu.hash.
func gnuHash(name string) uint32 {
	hash := uint32(5381)
	for _, c := range []byte(name) {
		hash = hash*33 + uint32(c)
	}
	return hash
}
