//go:build linux

package clock

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/fallacy-dev/fallacy/internal/require"
)

// childVariable makes this test binary a target instead: its value says which one.
const childVariable = "FALLACY_CLOCK_TEST_CHILD"

func TestMain(m *testing.M) {
	role, ok := os.LookupEnv(childVariable)
	if !ok {
		os.Exit(m.Run())
	}
	children := map[string]func(){
		"ask": answer, "hot": runHot, "exec": execute, "idle": idle, "bench": benchmarkNow, "tests": func() { os.Exit(m.Run()) },
	}
	children[role]()
	os.Exit(0)
}

// sample is one look at all clocks by a target. The machine's clock was between before and after.
type sample struct{ wall, before, after, mono, rawMono int64 }

// skew is by how much the wall clock departed from the machine's, to the middle of what is possible.
func (s sample) skew() time.Duration { return time.Duration(s.wall - (s.before+s.after)/2) }

// rawClock asks the kernel, by a system call of its own, which no vDSO can lie about.
func rawClock(id uintptr) int64 {
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

var childStarted = time.Now()

func takeSample() sample {
	before := rawClock(0)
	now := time.Now()
	after := rawClock(0)
	return sample{now.UnixNano(), before, after, int64(now.Sub(childStarted)), rawClock(1)}
}

// answer prints a sample for each line of input.
func answer() {
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		s := takeSample()
		fmt.Println(s.wall, s.before, s.after, s.mono, s.rawMono)
	}
}

// execute becomes another copy of this program, which loses its clock.
func execute() {
	os.Setenv(childVariable, "ask")
	syscall.Exec("/proc/self/exe", os.Args[:1], os.Environ())
	os.Exit(3)
}

// idle does not read the clock by itself once it runs.
func idle() { io.Copy(io.Discard, os.Stdin) }

// runHot reads the clock in 8 threads until its input ends. Each wall time must be one of the two that its arguments
// name, and monotonic time must pass, as the kernel says it does. It prints the number of each, or what was wrong.
func runHot() {
	var a, b time.Duration
	fmt.Sscan(os.Args[1], (*int64)(&a))
	fmt.Sscan(os.Args[2], (*int64)(&b))
	pprof.StartCPUProfile(io.Discard) // signals interrupt the fake functions, and Go looks where it was
	defer pprof.StopCPUProfile()
	done := make(chan struct{})
	go func() { io.Copy(io.Discard, os.Stdin); close(done) }()
	counts := make([][2]int, 8)
	var all sync.WaitGroup
	for i := range counts {
		all.Go(func() {
			last := time.Now()
			for {
				select {
				case <-done:
					return
				default:
				}
				before := rawClock(0)
				now := time.Now()
				after := rawClock(0)
				within := func(skew time.Duration) bool {
					real := now.UnixNano() - int64(skew)
					return before <= real && real <= after
				}
				switch {
				case within(a):
					counts[i][0]++
				case within(b):
					counts[i][1]++
				default:
					fmt.Printf("torn: neither %v nor %v but %v\n", a, b, time.Duration(now.UnixNano()-after))
					os.Exit(1)
				}
				if passed := now.Sub(last); passed < 0 || passed > 10*time.Second {
					fmt.Println("monotonic clock jumped by", passed)
					os.Exit(1)
				}
				last = now
			}
		})
	}
	all.Wait()
	var sum [2]int
	for _, c := range counts {
		sum[0], sum[1] = sum[0]+c[0], sum[1]+c[1]
	}
	fmt.Println("saw", sum[0], sum[1])
}

// benchmarkNow prints what time.Now costs here, in nanoseconds.
func benchmarkNow() {
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			time.Now()
		}
	})
	mono := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			time.Since(childStarted)
		}
	})
	fmt.Println(result.NsPerOp(), mono.NsPerOp())
}

// newClock makes a Clock for the test, or skips it.
func newClock(t testing.TB) *Clock {
	t.Helper()
	if err := Supported(); err != nil {
		require.Absent(t, "clock", err)
	}
	c, err := New(filepath.Join(t.TempDir(), "page"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// target is a running child that answers lines with lines.
type target struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// child is the command for a child of this test binary in a role.
func child(role string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), childVariable+"="+role, "GORACE=atexit_sleep_ms=0") // else a second at each end
	return cmd
}

// launch starts cmd with the clock c, or with the machine's if c is nil.
func launch(t testing.TB, c *Clock, cmd *exec.Cmd) *target {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	start := cmd.Start
	if c != nil {
		start = func() error { return c.Start(cmd) }
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	// A target that does not answer is killed, which ends every wait for its answer.
	overdue := time.AfterFunc(4*patience, func() { cmd.Process.Kill() })
	t.Cleanup(func() { overdue.Stop(); cmd.Process.Kill(); cmd.Wait() })
	return &target{t, cmd, in, bufio.NewReader(out)}
}

// line sends a line and returns the answer.
func (p *target) line() string {
	p.t.Helper()
	if _, err := io.WriteString(p.in, "now\n"); err != nil {
		p.t.Fatal(err)
	}
	text, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("the target did not answer: %v", err)
	}
	return strings.TrimSpace(text)
}

// ask returns a sample from a target in the role "ask".
func (p *target) ask() (s sample) {
	p.t.Helper()
	text := p.line()
	if _, err := fmt.Sscan(text, &s.wall, &s.before, &s.after, &s.mono, &s.rawMono); err != nil {
		p.t.Fatalf("answer %q: %v", text, err)
	}
	return s
}

// end closes the target's input and returns the rest of its output.
func (p *target) end() string {
	p.t.Helper()
	p.in.Close()
	rest, err := io.ReadAll(p.out)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Fatalf("the target ended with %v and said %q", err, rest)
	}
	return strings.TrimSpace(string(rest))
}
