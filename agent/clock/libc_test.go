//go:build linux

package clock

import (
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/internal/require"
)

// compile compiles a C program and returns its path, or skips the test.
func compile(t *testing.T, source string, compiler ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	args := append(compiler[1:], "-O1", "-o", program, filepath.Join("testdata", source))
	require.Program(t, "compilers", compiler[0])
	if out, err := exec.Command(compiler[0], args...).CombinedOutput(); err != nil {
		require.Absent(t, "compilers", fmt.Sprintf("%v %v: %s", compiler, err, out))
	}
	return program
}

// C programs see the skew in clock_gettime, gettimeofday and time, in themselves and in their forks.
func TestC(t *testing.T) {
	compilers := map[string][]string{
		"glibc": {"gcc"}, "glibc static": {"gcc", "-static"}, "glibc static-pie": {"gcc", "-static-pie"},
		"musl": {"musl-gcc"}, "musl static": {"musl-gcc", "-static"},
	}
	for name, compiler := range compilers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock(t)
			p := launch(t, c, exec.Command(compile(t, "clocks.c", compiler...)))
			for _, offset := range []time.Duration{0, time.Hour, -time.Hour - 999_999_999, 777_777_777, -100 * 365 * 24 * time.Hour, 0} {
				set(t, c, fallacy.Skew{Offset: offset})
				checkC(t, p.line(), offset)
				fork, err := p.out.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				checkC(t, fork, offset)
			}
			p.end()
		})
	}
}

// checkC checks one line of testdata/clocks.c.
func checkC(t *testing.T, line string, offset time.Duration) {
	t.Helper()
	var before, after, fine, coarse, micro, seconds int64
	if _, err := fmt.Sscan(line, &before, &after, &fine, &coarse, &micro, &seconds); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	want := func(what string, got, slack int64) {
		if low, high := before+int64(offset)-slack, after+int64(offset); got < low || got > high {
			t.Errorf("offset %v: %s is %v off", offset, what, time.Duration(got-before))
		}
	}
	want("clock_gettime", fine, 0)
	want("gettimeofday", micro, 1000)
	if coarse -= 10e6; coarse < before+int64(offset)-30e6 || coarse > after+int64(offset) { // some ticks
		t.Errorf("offset %v: CLOCK_REALTIME_COARSE is %v off", offset, time.Duration(coarse-before))
	}
	floor := func(ns int64) int64 { return int64(math.Floor(float64(ns/1e6) / 1e3)) }
	if low, high := floor(before+int64(offset)-1e6), floor(after+int64(offset)+1e6); seconds < low || seconds > high {
		t.Errorf("offset %v: time is %d, want between %d and %d", offset, seconds, low, high)
	}
}

// Programs that everybody has see the skew.
func TestEverydayPrograms(t *testing.T) {
	commands := map[string][]string{
		"date":   {"date", "+%s"},
		"perl":   {"perl", "-e", `print time, "\n"`},
		"fork":   {"perl", "-e", `$| = 1; if ($p = fork) { waitpid $p, 0 } else { print time, "\n" }`},
		"python": {"python3", "-c", "import time; print(int(time.time()))"},
	}
	for name, argv := range commands {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, err := exec.LookPath(argv[0])
			if err == nil {
				program, err = filepath.EvalSymlinks(program)
			}
			if err == nil && strings.Contains(program, "shims") {
				out, which := exec.Command("pyenv", "which", argv[0]).Output() // else the shim executes it
				program, err = strings.TrimSpace(string(out)), which
			}
			if err != nil {
				require.Absent(t, argv[0], err)
			}
			c := newClock(t)
			set(t, c, fallacy.Skew{Offset: 1000 * time.Hour})
			cmd := exec.Command(program, argv[1:]...)
			var out bytes.Buffer
			cmd.Stdout = &out
			if err := c.Start(cmd); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			want := time.Now().Unix() + 1000*3600
			got, err := strconv.ParseInt(strings.TrimSpace(out.String()), 10, 64)
			if err != nil || got < want-10 || got > want {
				t.Errorf("got %q, want %d", out.String(), want)
			}
		})
	}
}
