//go:build linux && amd64

package clock

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// take gives the running process of p the clock.
func take(t testing.TB, c *Clock, p *target) {
	t.Helper()
	if err := c.Adopt(p.cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
}

func giveBack(t testing.TB, p *target) {
	t.Helper()
	if err := Disown(p.cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
}

// swings sets one skew after the other, and wants each to be seen by a process that
// ran already, the monotonic clock to go on as the kernel's, and the heal to be seen.
func swings(t *testing.T, c *Clock, p *target) {
	t.Helper()
	first := p.ask()
	for _, offset := range []time.Duration{0, time.Hour, -time.Hour - 1, 0} {
		set(t, c, fallacy.Skew{Offset: offset})
		s := p.ask()
		wantOffset(t, s, offset)
		mono, real := s.mono-first.mono, s.rawMono-first.rawMono
		if diff := time.Duration(mono - real).Abs(); diff > 100*time.Millisecond {
			t.Errorf("offset %v: %v passed on the monotonic clock, by the kernel's %v", offset, time.Duration(mono), time.Duration(real))
		}
		verify(t, c, p)
	}
}

// A process that runs already gets the clock, and the machine's back.
func TestAdopt(t *testing.T) {
	c := newClock(t)
	p := launch(t, nil, child("ask"))
	p.ask()
	take(t, c, p)
	c.pid = p.cmd.Process.Pid // it stands for the one that was started, for Verify's words
	swings(t, c, p)
	set(t, c, fallacy.Skew{Offset: time.Hour})
	giveBack(t, p)
	wantOffset(t, p.ask(), 0)
	wantUnverified(t, c, "no reading of the clock by the process")
	take(t, c, p)
	wantOffset(t, p.ask(), time.Hour)
	take(t, c, p) // twice is as good as once
	wantOffset(t, p.ask(), time.Hour)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	wantOffset(t, p.ask(), 0)
	giveBack(t, p) // nothing to do
	wantOffset(t, p.ask(), 0)
	p.end()
}

// A static program without symbols has nothing but its pointer to go by.
func TestAdoptStripped(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := child("ask")
	cmd.Path = program
	c := newClock(t)
	p := launch(t, nil, cmd)
	take(t, c, p)
	swings(t, c, p)
	p.end()
}

// What a program that died left in force, a later one takes over or undoes.
func TestAdoptAfterAnother(t *testing.T) {
	starts := map[string]func(*Clock) *target{
		"started": func(c *Clock) *target { return launch(t, c, child("ask")) },
		"adopted": func(c *Clock) *target { p := launch(t, nil, child("ask")); take(t, c, p); return p },
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			before := newClock(t)
			set(t, before, fallacy.Skew{Offset: time.Hour})
			p := start(before)
			wantOffset(t, p.ask(), time.Hour)
			c := newClock(t)
			take(t, c, p)
			wantOffset(t, p.ask(), 0)
			swings(t, c, p)
			set(t, c, fallacy.Skew{Offset: -time.Hour})
			wantOffset(t, p.ask(), -time.Hour)
			giveBack(t, p)
			wantOffset(t, p.ask(), 0)
			set(t, before, fallacy.Skew{Offset: time.Minute})
			wantOffset(t, p.ask(), 0)
			take(t, before, p)
			wantOffset(t, p.ask(), time.Minute)
			p.end()
		})
	}
}

// C programs are adopted before they have looked anything up, and after; their forks too.
func TestAdoptC(t *testing.T) {
	compilers := map[string][]string{
		"glibc": {"gcc"}, "glibc lazy": {"gcc", "-Wl,-z,lazy"}, "glibc static": {"gcc", "-static"}, "glibc static-pie": {"gcc", "-static-pie"},
		"musl": {"musl-gcc"}, "musl static": {"musl-gcc", "-static"},
	}
	for name, compiler := range compilers {
		for _, early := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/early=%v", name, early), func(t *testing.T) {
				t.Parallel()
				c := newClock(t)
				p := launch(t, nil, exec.Command(compile(t, "clocks.c", compiler...)))
				ask := func(offset time.Duration) {
					t.Helper()
					checkC(t, p.line(), offset)
					fork, err := p.out.ReadString('\n')
					if err != nil {
						t.Fatal(err)
					}
					checkC(t, fork, offset)
				}
				if !early {
					ask(0)
				}
				take(t, c, p)
				for _, offset := range []time.Duration{0, time.Hour, -time.Hour - 999_999_999, 0} {
					set(t, c, fallacy.Skew{Offset: offset})
					ask(offset)
				}
				set(t, c, fallacy.Skew{Offset: time.Hour})
				giveBack(t, p)
				ask(0)
				p.end()
			})
		}
	}
}

// Eight threads read as fast as they can, profiled, while their process goes from
// one clock to the other and back.
func TestSwapUnderLoad(t *testing.T) {
	const skew = 3 * time.Hour
	c := newClock(t)
	set(t, c, fallacy.Skew{Offset: skew})
	p := launch(t, nil, child("hot", "0", fmt.Sprint(int64(skew))))
	rounds := 50
	if testing.Short() {
		rounds = 20
	}
	enough := time.Now().Add(patience) // the target is killed if it takes much longer
	for i := 0; i < rounds && (i == 0 || time.Now().Before(enough)); i++ {
		if err := errJoin(c.Adopt(p.cmd.Process.Pid), Disown(p.cmd.Process.Pid)); err != nil {
			t.Fatalf("round %d: %v; the target says %q", i, err, p.end())
		}
		<-time.After(100 * time.Millisecond) // with the machine's clock
	}
	take(t, c, p)
	until(t, "readings", func() bool {
		r, err := c.Read()
		return err == nil && r.Reads > 20_000
	})
	said := p.end()
	var rights, skews int
	if _, err := fmt.Sscanf(said, "saw %d %d", &rights, &skews); err != nil || rights == 0 || skews == 0 {
		t.Errorf("the target said %q, want that it saw both clocks", said)
	}
}

func errJoin(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A process that is killed while it is being adopted is left to who waits for it.
func TestAdoptKilled(t *testing.T) {
	c := newClock(t)
	for range 5 {
		p := launch(t, nil, child("hot", "0", "0"))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for c.Adopt(p.cmd.Process.Pid) == nil {
			}
		}()
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-done
		_ = p.cmd.Wait() // it was killed, and says so
		if status := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
			t.Fatalf("it ended with %v", p.cmd.ProcessState)
		}
	}
}

// stateOf is the state of a process in the process table.
func stateOf(p *target) string {
	found, _ := processOf(p.cmd.Process.Pid)
	return string(found.state)
}

// A process that is paused is adopted, and stays so.
func TestAdoptPaused(t *testing.T) {
	c := newClock(t)
	p := launch(t, nil, child("ask"))
	p.ask()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	until(t, "a pause", func() bool { return stateOf(p) == "T" })
	take(t, c, p)
	set(t, c, fallacy.Skew{Offset: time.Hour})
	until(t, "still a pause", func() bool { return stateOf(p) == "T" })
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	wantOffset(t, p.ask(), time.Hour)
	p.end()
}

// A process that sleeps in the kernel sleeps on, and signals are not lost meanwhile.
func TestAdoptSleeping(t *testing.T) {
	c := newClock(t)
	p := launch(t, nil, exec.Command("sleep", "0.8"))
	began := time.Now()
	for i := 0; i < 20 && time.Since(began) < 400*time.Millisecond; i++ { // while it sleeps, on a slow machine too
		take(t, c, p)
	}
	p.end()
	if took := time.Since(began); took < 700*time.Millisecond {
		t.Errorf("a sleep of 0.8 s ended after %v", took)
	}
	script := `n=0; trap 'n=$((n+1))' USR1; trap 'echo $n; exit' USR2; echo up; while :; do read x; done`
	p = launch(t, nil, exec.Command("sh", "-c", script))
	if got := p.line(); got != "up" {
		t.Fatalf("got %q", got)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for range 20 {
			if err := c.Adopt(p.cmd.Process.Pid); err != nil {
				t.Error(err)
			}
		}
	})
	for range 50 {
		if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			t.Error(err)
		}
	}
	all.Wait()
	if err := p.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	if n, err := p.out.ReadString('\n'); err != nil || n == "0\n" {
		t.Errorf("the signals that came meanwhile: %q, %v", n, err)
	}
}

// inOtherThread does do in a thread that is not the tracer's, and ends.
func inOtherThread(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- do()
	}()
	return <-done
}

// What cannot be adopted is as it was, and the error says why.
func TestAdoptRefuses(t *testing.T) {
	c := newClock(t)
	p := launch(t, nil, child("ask"))
	p.end()
	if err := c.Adopt(p.cmd.Process.Pid); err == nil {
		t.Error("a process that has ended was adopted")
	}
	p = launch(t, nil, child("ask"))
	done := make(chan error)
	release := make(chan struct{})
	go func() {
		done <- inOtherThread(func() error {
			s, err := seize(p.cmd.Process.Pid)
			done <- err
			<-release
			return errJoin(err, s.letGo())
		})
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := c.Adopt(p.cmd.Process.Pid); err == nil || !strings.Contains(err.Error(), "trace thread") {
		t.Errorf("traced by another: got %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantOffset(t, p.ask(), 0)
	take(t, c, p)
	p.end()
}

// A process whose user cannot get at the page runs on with the machine's clock. One
// of another user who can is adopted.
func TestAdoptOtherUser(t *testing.T) {
	skipUnlessNobody(t)
	dir, err := os.MkdirTemp("/tmp", "clock")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	c, err := New(filepath.Join(dir, "page"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cmd := child("ask")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	p := launch(t, nil, cmd)
	p.ask()
	if err := c.Adopt(p.cmd.Process.Pid); err == nil || !strings.Contains(err.Error(), "cannot open "+dir+"/page: permission denied") {
		t.Errorf("a page in a directory of another user: got %v", err)
	}
	wantOffset(t, p.ask(), 0)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	take(t, c, p)
	swings(t, c, p)
	p.end()
}
