package clock

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// lookUp finds a function as loaders do: by one of the hash tables, then by name and version. It returns its offset,
// or 0.
func lookUp(t *testing.T, image []byte, table elf.DynTag, name, version string) uint64 {
	t.Helper()
	p := parser{image: image, tables: map[elf.DynTag]uint64{}}
	_, progs, _, err := elfHeaders(image)
	if err != nil {
		t.Fatal(err)
	}
	for _, prog := range progs {
		if elf.ProgType(prog.Type) == elf.PT_DYNAMIC {
			p.dynamic(prog.Off)
		}
	}
	versions := p.versions()
	hash := p.tables[table]
	var candidates []uint32
	if table == elf.DT_HASH {
		buckets := p.u32(hash)
		bucket := hash + 8
		chain := bucket + 4*uint64(buckets)
		for i := p.u32(bucket + 4*uint64(sysvHash(name)%buckets)); i != 0; i = p.u32(chain + 4*uint64(i)) {
			candidates = append(candidates, i)
		}
	} else {
		h := gnuHash(name)
		buckets, first, bloom, shift := p.u32(hash), p.u32(hash+4), p.u32(hash+8), p.u32(hash+12)
		if word := p.u64(hash + 16 + 8*uint64(h/64%bloom)); word>>(h%64)&1 == 0 || word>>(h>>shift%64)&1 == 0 {
			return 0
		}
		bucket := hash + 16 + 8*uint64(bloom)
		chain := bucket + 4*uint64(buckets)
		for i := p.u32(bucket + 4*uint64(h%buckets)); ; i++ {
			link := p.u32(chain + 4*uint64(i-first))
			if link|1 == h|1 {
				candidates = append(candidates, i)
			}
			if link&1 != 0 {
				break
			}
		}
	}
	for _, i := range candidates {
		if s, ok := p.symbol(i, versions); ok && s.name == name && s.version == version {
			return s.offset
		}
	}
	if p.err != nil {
		t.Fatal(p.err)
	}
	return 0
}

// drawVDSO draws a vDSO with clock_gettime and other functions.
func drawVDSO(t *rapid.T) *vdso {
	v := &vdso{soname: "linux-vdso.so.1", size: 8192, machine: rapid.SampledFrom([]elf.Machine{elf.EM_X86_64, elf.EM_AARCH64}).Draw(t, "machine")}
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`(__vdso_|__kernel_)?[a-z_]{1,20}`), 0, 30, rapid.ID).Draw(t, "names")
	names = append(names, "__vdso_clock_gettime")
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		v.symbols = append(v.symbols, symbol{
			name:    name,
			version: rapid.SampledFrom([]string{"LINUX_2.6", "LINUX_2.6.39", ""}).Draw(t, "version"),
			offset:  rapid.Uint64Range(1, 8191).Draw(t, "offset"),
			bind:    rapid.SampledFrom([]elf.SymBind{elf.STB_GLOBAL, elf.STB_WEAK}).Draw(t, "bind"),
		})
	}
	return v
}

// fakeForTest is code with clock_gettime at 48, no gettimeofday, and time at 50.
func fakeForTest() []byte {
	code := make([]byte, 64)
	binary.LittleEndian.PutUint32(code[tableOfFakes:], 48)
	binary.LittleEndian.PutUint32(code[tableOfFakes+8:], 50)
	return code
}

// Whatever the real vDSO exports, the fake one exports, and it leads to the fake function or to the real one.
func TestImage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		real := drawVDSO(rt)
		d := disguise{real: real, base: 0x7fff0000, at: 0x10000, page: 0x9000, start: 7, code: fakeForTest()}
		image, err := d.image()
		if err != nil {
			rt.Fatal(err)
		}
		fake, err := parseVDSO(image)
		if err != nil {
			rt.Fatal(err)
		}
		if len(fake.symbols) != len(real.symbols) || fake.soname != real.soname || fake.machine != real.machine {
			rt.Fatalf("got %+v, want the like of %+v", fake, real)
		}
		for i, want := range real.symbols {
			got := fake.symbols[i]
			if got.name != want.name || got.version != want.version || got.bind != want.bind {
				rt.Fatalf("got symbol %+v, want the like of %+v", got, want)
			}
			checkDestination(rt, &d, image, got, want)
			for _, table := range []elf.DynTag{elf.DT_HASH, elf.DT_GNU_HASH} {
				if off := lookUp(t, image, table, want.name, want.version); off != got.offset {
					rt.Errorf("%v leads %s to %#x, want %#x", table, want.name, off, got.offset)
				}
				if off := lookUp(t, image, table, "no_such_function", want.version); off != 0 {
					rt.Errorf("%v finds what is not there at %#x", table, off)
				}
			}
		}
	})
}

// checkDestination checks where the fake of a function leads.
func checkDestination(t *rapid.T, d *disguise, image []byte, fake, real symbol) {
	code := image[fake.offset:]
	switch plainName(real.name) {
	case "clock_gettime":
		code = image[fake.offset-48:]
		words := []uint64{}
		for i := range 4 {
			words = append(words, binary.LittleEndian.Uint64(code[8*i:]))
		}
		gettime, _ := d.real.find("clock_gettime")
		if words[0] != d.base+gettime.offset || words[2] != d.page || words[3] != 7<<32 {
			t.Errorf("the fake code has the words %x", words)
		}
	case "time":
		if off := fakes(image[fake.offset-50:])["time"]; off != 50 {
			t.Errorf("time is not that of the fake code")
		}
	default:
		if to := binary.LittleEndian.Uint64(code[8:]); to != d.base+real.offset {
			t.Errorf("%s leads to %#x, want %#x", real.name, to, d.base+real.offset)
		}
	}
}

func TestImageNeedsClockGettime(t *testing.T) {
	d := disguise{real: &vdso{symbols: []symbol{{name: "__vdso_getcpu", offset: 1}}}, code: fakeForTest()}
	if _, err := d.image(); err == nil {
		t.Error("no error")
	}
}

// On arm64 the image claims the real vDSO behind it, and nothing else.
func TestSpan(t *testing.T) {
	for _, c := range []struct {
		machine  elf.Machine
		at, base uint64
		want     uint64
	}{
		{elf.EM_AARCH64, 0x10000, 0x13000, 0x5000},
		{elf.EM_AARCH64, 0x10000, 0x1000000, 0x800}, // too far: other mappings may lie between
		{elf.EM_AARCH64, 0x10000, 0x8000, 0x800},    // before it
		{elf.EM_X86_64, 0x10000, 0x13000, 0x800},
	} {
		d := disguise{real: &vdso{machine: c.machine, size: 0x2000}, base: c.base, at: c.at}
		if got := d.span(0x800); got != c.want {
			t.Errorf("%v at %#x, real one at %#x: got %#x, want %#x", c.machine, c.at, c.base, got, c.want)
		}
	}
}

// The values are those that Go's runtime has written down for its lookups.
func TestHashes(t *testing.T) {
	got := []uint32{sysvHash("LINUX_2.6"), sysvHash("LINUX_2.6.39"), sysvHash("__kernel_clock_gettime"), gnuHash("__kernel_clock_gettime")}
	want := []uint32{0x3ae75f6, 0x75fcb89, 0xb0cd725, 0xdfa941fd}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzParse: whatever the bytes are, reading them ends, with an error or without.
func FuzzParse(f *testing.F) {
	real := &vdso{soname: "linux-vdso.so.1", size: 4096, machine: elf.EM_X86_64, symbols: []symbol{{name: "__vdso_clock_gettime", version: "LINUX_2.6", offset: 16, bind: elf.STB_GLOBAL}}}
	image, err := (&disguise{real: real, code: fakeForTest()}).image()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(image)
	f.Fuzz(func(t *testing.T, image []byte) { parseVDSO(image) })
}
