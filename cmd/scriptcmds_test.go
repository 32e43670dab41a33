package cmd_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits runs a command and wants its exit code: exits 2 fallacy check …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		exit, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%v: %v", args[1:], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// alone waits until no process of the script is left but for the test's own.
func alone(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.Getenv("TMPDIR")
	poll(ts, "processes are left behind", func() bool {
		procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, p := range procs {
			if line, _ := os.ReadFile(p); strings.Contains(string(line), dir) {
				return false
			}
		}
		return true
	})
}

// until waits until a file has a text in it: until FILE TEXT
func until(ts *testscript.TestScript, neg bool, args []string) {
	poll(ts, args[1]+" does not appear in "+args[0], func() bool {
		matches, _ := filepath.Glob(ts.MkAbs(args[0]))
		for _, m := range matches {
			if text, _ := os.ReadFile(m); strings.Contains(string(text), args[1]) {
				return true
			}
		}
		return false
	})
}

// chop takes the last line end off a file, which txtar cannot leave out: chop FILE
func chop(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.TrimSuffix(ts.ReadFile(args[0]), "\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// signalProcess sends a signal to the controller whose workspace is in TMPDIR.
func signalProcess(ts *testscript.TestScript, neg bool, args []string) {
	dirs, _ := filepath.Glob(filepath.Join(ts.Getenv("TMPDIR"), "fallacy-local-*"))
	if len(dirs) != 1 {
		ts.Fatalf("%d runs are going on, want 1", len(dirs))
	}
	pid, err := strconv.Atoi(strings.Split(filepath.Base(dirs[0]), "-")[2])
	ts.Check(err)
	sig := map[string]syscall.Signal{"INT": syscall.SIGINT, "KILL": syscall.SIGKILL}[args[0]]
	ts.Check(syscall.Kill(pid, sig))
}

func poll(ts *testscript.TestScript, complaint string, ok func() bool) {
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			ts.Fatalf("%s", complaint)
		}
	}
}
