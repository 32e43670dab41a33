package proc

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// TestUsage lets a child of the process burn time, write, and hold files: all of
// it must be seen of the tree, and nothing of a process that is gone.
func TestUsage(t *testing.T) {
	s, out := supervise(t, `sh -c 'exec 7</dev/null 8</dev/null 9</dev/null; dd if=/dev/zero of=big bs=65536 count=64 conv=fsync 2>/dev/null; echo up; while :; do :; done' & wait`)
	set(t, s, fallacy.Running)
	eventually(t, contains(out, "up"))
	pid := s.Status().PID
	var first Usage
	eventually(t, func() (err error) { first, err = UsageOf(pid); return err })
	if first.Memory < 200<<10 || first.Memory > 1<<30 || first.Threads < 2 || first.Files < 6 {
		t.Errorf("got %+v, want two processes with six files or more", first)
	}
	if first.Written >= 0 && first.Written < 4<<20 && writesReachStorage(t) {
		t.Errorf("got %d bytes written, want the 4 MiB that dd wrote", first.Written)
	}
	eventually(t, func() error {
		u, err := UsageOf(pid)
		if err != nil || u.CPU < first.CPU+50*time.Millisecond {
			return fmt.Errorf("after %v now %v of CPU time, %v: want the child's time to add up", first.CPU, u.CPU, err)
		}
		return nil
	})
	set(t, s, fallacy.Killed)
	if u, err := UsageOf(pid); err == nil {
		t.Errorf("a process that was killed uses %+v", u)
	}
}

// writesReachStorage tells whether what is written to a temporary directory
// counts as sent to storage: in memory it does not.
func writesReachStorage(t *testing.T) bool {
	t.Helper()
	_, before := storage(os.Getpid())
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, 1<<20)); err != nil || f.Sync() != nil {
		t.Fatal("write a file: ", err)
	}
	_, after := storage(os.Getpid())
	return after-before >= 1<<20
}
