package proc

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

func supervise(t *testing.T, script string) (*Supervisor, string) {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	s := New(Spec{Argv: []string{"/bin/sh", "-c", script}, Env: os.Environ(), Dir: dir, Output: out})
	t.Cleanup(func() {
		if err := s.Set(context.Background(), fallacy.Killed); err != nil {
			t.Error(err)
		}
	})
	return s, out
}

func set(t *testing.T, s *Supervisor, want fallacy.ProcessState) {
	t.Helper()
	if err := s.Set(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return s.Verify() })
}

// eventually waits until ok returns nil.
func eventually(t *testing.T, ok func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

func contains(path, want string) func() error {
	return func() error {
		got, _ := os.ReadFile(path)
		if !bytes.Contains(got, []byte(want)) {
			return fmt.Errorf("%s has %q, want %q in it", path, got, want)
		}
		return nil
	}
}

func TestStates(t *testing.T) {
	s, out := supervise(t, `trap 'echo farewell; exit 0' TERM; echo up; while :; do sleep 0.02; done`)
	if err := s.Verify(); err != nil {
		t.Fatalf("before the start: %v", err)
	}
	set(t, s, fallacy.Running)
	eventually(t, contains(out, "up"))
	pid := s.Status().PID
	set(t, s, fallacy.Paused)
	set(t, s, fallacy.Running)
	set(t, s, fallacy.Running)
	if got := s.Status(); got.PID != pid || got.Starts != 1 {
		t.Errorf("pause and resume made it %+v, want process %d started once", got, pid)
	}
	set(t, s, fallacy.Killed)
	if err := syscall.Kill(pid, 0); err == nil {
		t.Errorf("process %d is there after kill", pid)
	}
	if farewell, _ := os.ReadFile(out); strings.Contains(string(farewell), "farewell") {
		t.Error("a killed process had time to say farewell")
	}
	set(t, s, fallacy.Running)
	eventually(t, contains(out, "up\nup"))
	set(t, s, fallacy.Paused)
	set(t, s, fallacy.Terminated)
	if err := contains(out, "farewell")(); err != nil {
		t.Error(err)
	}
	if got := s.Status(); len(got.Exits) != 0 || got.Starts != 2 {
		t.Errorf("ends that were asked for are reported: %+v", got)
	}
}

func TestKillWhilePaused(t *testing.T) {
	s, _ := supervise(t, `while :; do sleep 0.02; done`)
	set(t, s, fallacy.Running)
	set(t, s, fallacy.Paused)
	set(t, s, fallacy.Killed)
	set(t, s, fallacy.Paused)
	set(t, s, fallacy.Running)
}

func TestStartsAgainAfterACrash(t *testing.T) {
	s, out := supervise(t, `echo up; [ -e crashed ] || { touch crashed; exit 3; }; while :; do sleep 0.02; done`)
	if err := s.Set(t.Context(), fallacy.Running); err != nil {
		t.Fatal(err)
	}
	eventually(t, contains(out, "up\nup"))
	eventually(t, s.Verify)
	got := s.Status()
	if len(got.Exits) != 1 || got.Exits[0].Status != "exit status 3" || got.Starts != 2 {
		t.Errorf("got %+v, want one exit with status 3 and two starts", got)
	}
}

func TestVerifySeesThroughAClaim(t *testing.T) {
	s, _ := supervise(t, `while :; do sleep 0.02; done`)
	set(t, s, fallacy.Paused)
	if err := syscall.Kill(s.Status().PID, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if err := s.Verify(); err == nil || !strings.Contains(err.Error(), "want paused") {
			return fmt.Errorf("a process that somebody resumed: got %v", err)
		}
		return nil
	})
}

func TestChildrenGoToo(t *testing.T) {
	s, out := supervise(t, `sleep 1000 & echo $!; wait`)
	set(t, s, fallacy.Running)
	var child int
	eventually(t, func() error {
		text, _ := os.ReadFile(out)
		_, err := fmt.Sscan(string(text), &child)
		return err
	})
	set(t, s, fallacy.Killed)
	eventually(t, func() error {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child)); err == nil && !bytes.Contains(stat, []byte(") Z ")) {
			return fmt.Errorf("the child %d is there after the kill", child)
		}
		return nil
	})
}

func TestProgramThatDoesNotExist(t *testing.T) {
	s := New(Spec{Argv: []string{"/nonexistent"}, Output: filepath.Join(t.TempDir(), "out")})
	if err := s.Set(t.Context(), fallacy.Running); err == nil || !strings.Contains(err.Error(), "start /nonexistent") {
		t.Errorf("got %v", err)
	}
	if err := s.Verify(); err == nil || !strings.Contains(err.Error(), "no process") {
		t.Errorf("got %v", err)
	}
}
