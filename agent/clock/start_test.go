//go:build linux && (amd64 || arm64)

package clock

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/internal/require"
	"golang.org/x/sys/unix"
)

// TestSupported fails where it is not, so that these tests are not all skipped without anybody noticing.
func TestSupported(t *testing.T) {
	if err := Supported(); err != nil {
		t.Error(err)
	}
}

func TestStartErrors(t *testing.T) {
	c := newClock(t)
	if err := c.Start(exec.Command("/does/not/exist")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that the program does not exist", err)
	}
	p := launch(t, c, child("ask"))
	if err := c.Start(p.cmd); err == nil {
		t.Error("a second Start of the same command: no error")
	}
}

// The caller's settings are as they were, and the process finds the files it was to find, and no more.
func TestStartLeavesNoTraces(t *testing.T) {
	files := func(c *Clock) string {
		cmd := exec.Command("ls", "/proc/self/fd")
		cmd.ExtraFiles = []*os.File{os.Stdin}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		p := launch(t, c, cmd)
		if len(cmd.ExtraFiles) != 1 || cmd.SysProcAttr.Ptrace {
			t.Errorf("Start left %d files, traced %v", len(cmd.ExtraFiles), cmd.SysProcAttr.Ptrace)
		}
		return strings.Join(strings.Fields(p.end()), " ")
	}
	if got, want := files(newClock(t)), files(nil); got != want {
		t.Errorf("got files %s, want %s", got, want)
	}
}

// A signal that comes while the clock is put in reaches the process afterwards.
func TestSignalDuringStart(t *testing.T) {
	c := newClock(t)
	for _, signal := range []unix.Signal{unix.SIGUSR1, unix.SIGTERM, unix.SIGKILL} {
		cmd := exec.Command("sleep", "60")
		err := startTraced(cmd, c.page.file, func(p *tracee, fd uint64) error {
			if err := unix.Kill(p.pid, signal); err != nil {
				t.Error(err)
			}
			_, err := p.disguise(fd, 1)
			return err
		})
		if signal == unix.SIGKILL {
			if err == nil || cmd.ProcessState == nil {
				t.Errorf("killed: got %v, and state %v", err, cmd.ProcessState)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%v: %v", signal, err)
		}
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != signal {
			t.Errorf("%v was lost: the process ended with %v", signal, cmd.ProcessState)
		}
	}
}

// A process that cannot be given a clock is not left behind, stopped.
func TestStartKillsWhatItCannotPrepare(t *testing.T) {
	c := newClock(t)
	planted := errors.New("planted")
	cmd := child("idle")
	if err := startTraced(cmd, c.page.file, func(*tracee, uint64) error { return planted }); !errors.Is(err, planted) {
		t.Errorf("got %v, want the planted error", err)
	}
	if cmd.ProcessState == nil {
		t.Error("the process was not collected")
	}
	cmd = child("idle")
	err := startTraced(cmd, c.page.file, func(p *tracee, fd uint64) error {
		_, err := p.disguise(99, 1) // not open there
		return err
	})
	if !errors.Is(err, unix.EBADF) {
		t.Errorf("got %v, want that the system call's error comes through", err)
	}
}

// A 32-bit program has another vDSO: it is refused, or not executed at all by this kernel.
func TestStart32Bit(t *testing.T) {
	le := binary.LittleEndian
	const at, size = 0x10000, 52 + 32 + 12
	b := append([]byte("\x7fELF\x01\x01\x01"), make([]byte, 9)...)
	b = le.AppendUint32(b, uint32(elf.EM_386)<<16|uint32(elf.ET_EXEC))
	for _, word := range []uint32{1, at + 52 + 32, 52, 0, 0, 52 | 32<<16, 1, 0} { // header
		b = le.AppendUint32(b, word)
	}
	for _, word := range []uint32{1, 0, at, at, size, size, 5, 0x1000} { // one segment, readable and executable
		b = le.AppendUint32(b, word)
	}
	b = append(b, 0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80, 0, 0, 0) // exit(0)
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, b, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	err := newClock(t).Start(cmd)
	if err == nil || cmd.Process != nil && cmd.ProcessState == nil {
		t.Errorf("got %v, and left a process: %v", err, cmd.Process != nil)
	}
	t.Log(err)
}

// A collector of orphans in the same program does not get in the way.
func TestStartBesideACollector(t *testing.T) {
	c := newClock(t)
	stop := make(chan struct{})
	defer close(stop)
	collected := make(chan struct{}, 1)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				var status unix.WaitStatus
				// Stops of traced children are reported, asked or not, and taken by whoever comes first.
				unix.Wait4(-1, &status, unix.WNOHANG, nil)
				select {
				case collected <- struct{}{}:
				default:
				}
			}
		}
	}()
	<-collected
	for range 20 {
		cmd := child("idle")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(cmd); err != nil {
			t.Fatal(err)
		}
		in.Close()
		cmd.Wait() // may find that the collector was faster
	}
}

const nobody = 65534

// skipUnlessNobody skips the test unless this program may start processes of another user.
func skipUnlessNobody(t *testing.T) {
	t.Helper()
	cmd := child("idle")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := cmd.Run(); os.Getuid() != 0 || err != nil {
		require.Absent(t, "root", "may not start processes of other users: ", err)
	}
}

// A process of another user is given a clock, though that user may not open the page.
func TestStartAsOtherUser(t *testing.T) {
	skipUnlessNobody(t)
	c := newClock(t)
	cmd := child("ask")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	p := launch(t, c, cmd)
	set(t, c, fallacy.Skew{Offset: -time.Hour})
	wantOffset(t, p.ask(), -time.Hour)
	verify(t, c, p)
}

// An ordinary user can do all of this.
func TestAsOrdinaryUser(t *testing.T) {
	skipUnlessNobody(t)
	dir, err := os.MkdirTemp("/tmp", "clock")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	cmd := child("tests", "-test.v", "-test.run=^(TestStep|TestFreeze|TestSupported|TestVerify.*|TestOpen|TestRestart.*|TestSignal.*|TestHotThreads)$")
	cmd.Dir = "/"
	cmd.Env = append(cmd.Env, "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "SKIP") || !strings.Contains(string(out), "PASS: TestStep") {
		t.Errorf("as user %d: %v\n%s", nobody, err, out)
	}
}
