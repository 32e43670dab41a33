//go:build linux && amd64

package clock

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// scripts are ways to start a program that is not what was started, with the
// program's path as the script's first argument.
var scripts = map[string]string{
	"exec":               `exec "$0"`,
	"exec twice":         `exec sh -c 'exec "$0"' "$0"`,
	"child":              `"$0"; exit $?`,
	"grandchild":         `(sh -c '"$0"; exit $?' "$0"; exit $?); exit $?`,
	"among many":         `(while :; do sleep 0.01; done) >&- & a=$!; sleep 60 >&- & "$0"; kill $a $!; exit 0`,
	"in the background":  `exec 3<&0; "$0" <&3 & wait`,
	"session of its own": `exec setsid -w "$0"`,
}

// script is the command for a child in a role behind a shell script.
func script(text, role string) *exec.Cmd {
	cmd := child(role)
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", text, program}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// Programs that the process executes in its place, or in a child, are followed.
func TestFollow(t *testing.T) {
	for name, text := range scripts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock(t)
			p := launch(t, c, script(text, "ask"))
			t.Cleanup(func() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
			wantOffset(t, p.ask(), 0)
			for _, offset := range []time.Duration{time.Hour, 0, -time.Hour, 0} {
				set(t, c, fallacy.Skew{Offset: offset})
				if text == scripts["among many"] { // Set waits for a bounded time
					until(t, "the skew", func() bool { lookAgain(c); return (p.ask().skew() - offset).Abs() < time.Minute })
				}
				wantOffset(t, p.ask(), offset)
				verify(t, c, p)
			}
			p.end()
		})
	}
}

// lookAgain has the clock look for programs, as Verify does while it waits.
func lookAgain(c *Clock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follow()
}

// A program that is executed while a skew is in force is given it soon, in the place
// of one that had it.
func TestFollowMeanwhile(t *testing.T) {
	c := newClock(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Follow(ctx) }()
	p := launch(t, c, script(`read x; exec "$0"`, "ask"))
	set(t, c, fallacy.Skew{Offset: time.Hour})
	if _, err := fmt.Fprintln(p.in); err != nil {
		t.Fatal(err)
	}
	until(t, "the skew", func() bool { s := p.ask(); return s.skew() > 30*time.Minute })
	verify(t, c, p)
	set(t, c, fallacy.Skew{})
	wantOffset(t, p.ask(), 0)
	cancel()
	<-ended
	p.end()
}

// One that cannot be followed is named: another tracer has it.
func TestVerifyNoticesStrangers(t *testing.T) {
	c := newClock(t)
	cmd := child("exec")
	cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1") // no signals: at each it would wait for its tracer
	p := launch(t, c, cmd)
	p.ask()
	release, done := make(chan struct{}), make(chan error)
	go func() {
		done <- inOtherThread(func() error {
			s, err := seize(p.cmd.Process.Pid)
			done <- err
			if err != nil {
				return nil
			}
			err = s.letRun()
			<-release
			return errJoin(err, s.interrupt(), s.letGo())
		})
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	set(t, c, fallacy.Skew{Offset: time.Hour})
	wantOffset(t, p.ask(), 0)
	wantUnverified(t, c, "wanted offset 1h0m0s", fmt.Sprintf("process %d has executed /", p.cmd.Process.Pid), "which has the machine's clock")
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	set(t, c, fallacy.Skew{Offset: time.Hour})
	wantOffset(t, p.ask(), time.Hour)
	verify(t, c, p)
	p.end()
}

// letRun lets the thread run, still traced.
func (s *seized) letRun() error {
	if err := setRegisters(s.pid, s.entry); err != nil {
		return err
	}
	if _, err := s.sigmask(ptraceSetSigmask, s.mask); err != nil {
		return err
	}
	const ptraceCont = 7
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PTRACE, ptraceCont, uintptr(s.pid), 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
