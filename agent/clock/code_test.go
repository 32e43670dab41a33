//go:build linux

package clock

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/fallacy-dev/fallacy/internal/require"
	"pgregory.net/rapid"
)

// The bytes in fake/*.bin are those that fake/*.S assembles to.
func TestAssembly(t *testing.T) {
	dir := t.TempDir()
	out, err := exec.Command(filepath.Join("fake", "build.sh"), dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range []string{"amd64.bin", "arm64.bin"} {
		t.Run(name, func(t *testing.T) {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				require.Absent(t, "compilers", fmt.Sprintf("not assembled: %s", out))
			}
			want, err := os.ReadFile(filepath.Join("fake", name))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("the source assembles to other bytes than are kept (%v): run fake/build.sh", err)
			}
		})
	}
}

// The layout that fake/*.S count on.
func TestPageLayout(t *testing.T) {
	var p page
	var r record
	for _, f := range []struct {
		name      string
		got, want uintptr
	}{
		{"SEQ", unsafe.Offsetof(p.seq), 0x08}, {"MASK", unsafe.Offsetof(p.mask), 0x10}, {"RECORDS", unsafe.Offsetof(p.records), 0x40},
		{"READS", unsafe.Offsetof(p.reads), 0x100}, {"DELTA", unsafe.Offsetof(p.delta), 0x108},
		{"REAL", unsafe.Offsetof(p.real), 0x110}, {"TAG", unsafe.Offsetof(p.tag), 0x118},
		{"BASE", unsafe.Offsetof(r.base), 0x00}, {"AHEAD", unsafe.Offsetof(r.offset), 0x08}, {"RATE", unsafe.Offsetof(r.rate), 0x10},
		{"STROBE", unsafe.Offsetof(r.strobe), 0x18}, {"FROZEN", unsafe.Offsetof(r.frozen), 0x20}, {"record", unsafe.Sizeof(r), 64},
	} {
		if f.got != f.want {
			t.Errorf("%s is at %#x, want %#x", f.name, f.got, f.want)
		}
	}
}

// vector is a skew and a time of the machine's clock.
type vector struct {
	seq uint32
	record
	sec, nsec int64
}

// drawVector draws from all that may happen, and more.
func drawVector(t *rapid.T) vector {
	const century = int64(100 * 365 * 24 * 3600)
	v := vector{
		seq:  rapid.Uint32().Draw(t, "seq"),
		sec:  rapid.Int64Range(-century/2, 2*century).Draw(t, "sec"),
		nsec: rapid.Int64Range(0, 999_999_999).Draw(t, "nsec"),
	}
	real := v.sec*1e9 + v.nsec
	v.base = real - rapid.OneOf(rapid.Int64Range(-5e9, 5e9), rapid.Int64Range(0, 30*24*3600e9)).Draw(t, "since")
	v.offset = rapid.OneOf(
		rapid.Int64Range(-2e9, 2e9), rapid.Int64Range(-century*1e9/2, century*1e9/2),
		rapid.Map(rapid.Int64Range(-1e6, 1e6), func(n int64) int64 { return n*1e9 - v.nsec }), // to a whole second
	).Draw(t, "offset")
	v.rate = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(-rateUnit, rateUnit), rapid.Int64Range(-1000*rateUnit, 1000*rateUnit)).Draw(t, "rate")
	v.strobe = rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 10e9), rapid.Just(int64(-1))).Draw(t, "strobe")
	v.frozen = rapid.OneOf(rapid.Just(int64(0)), rapid.Just(int64(1)), rapid.Just(int64(1)<<40)).Draw(t, "frozen")
	return v
}

// want is what testdata/vectors.c shall print for v: by division of Go's, not by the tricks of the fake code.
func (v vector) want(withTime bool) string {
	real := v.sec*1e9 + v.nsec
	delta := v.at(real)
	fake := real + delta
	sec, nsec := fake/1e9, fake%1e9
	if nsec < 0 {
		sec, nsec = sec-1, nsec+1e9
	}
	seconds, reads := sec, 6
	if !withTime {
		seconds, reads = 0, 4
	}
	return fmt.Sprint(0, " ", sec, " ", nsec, " ", sec, " ", nsec/1000, " ", seconds, " ", 1000+reads, " ", delta, " ", real, " ", uint64(3)<<32|uint64(v.seq))
}

// The fake functions compute what the Go side computes, on every architecture that can be run or emulated here.
func TestFakeCode(t *testing.T) {
	machines := map[string]struct{ compiler, run []string }{
		"amd64": {compiler: []string{"gcc"}},
		"arm64": {compiler: []string{"aarch64-linux-gnu-gcc", "-static"}, run: []string{"qemu-aarch64"}},
	}
	for name, m := range machines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			argv := append(m.run, compile(t, "vectors.c", m.compiler...), filepath.Join("fake", name+".bin"))
			cmd := exec.Command(require.Program(t, "compilers", argv[0]), argv[1:]...)
			p := launch(t, nil, cmd)
			in := bufio.NewWriter(p.in)
			rapid.Check(t, func(t *rapid.T) {
				v := drawVector(t)
				fmt.Fprintln(in, v.seq, v.base, v.offset, v.rate, v.strobe, v.frozen, v.sec, v.nsec)
				if err := in.Flush(); err != nil {
					t.Fatal(err)
				}
				got, err := p.out.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				if got, want := strings.TrimSpace(got), v.want(name == "amd64"); got != want {
					t.Fatalf("got  %s\nwant %s", got, want)
				}
			})
			p.end()
		})
	}
}
