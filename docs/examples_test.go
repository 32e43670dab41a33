package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy/internal/require"
)

// TestExampleModule builds examples/own as its reader would, outside of this
// module, and has it find what no checker of fallacy's looks for, in Go and in Python.
func TestExampleModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a command and runs it: leave out -short")
	}
	t.Parallel()
	require.Program(t, "python3", "python3")
	module, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../examples/own")); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(want int, argv ...string) string {
		t.Helper()
		command := exec.Command(argv[0], argv[1:]...)
		command.Dir, command.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0")
		out, _ := command.CombinedOutput()
		if got := command.ProcessState.ExitCode(); got != want {
			t.Fatalf("%s: exit code %d, want %d\n%s", strings.Join(argv, " "), got, want, out)
		}
		return string(out)
	}
	run(0, "go", "mod", "edit", "-replace", "github.com/fallacy-dev/fallacy="+module)
	run(0, "go", "build", "-o", "own", ".")
	run(0, "go", "build", "-o", "invoices/invoices", "./invoices")
	run(0, "go", "vet", "./...")
	run(0, "go", "test", ".")
	common := []string{filepath.Join(dir, "own"), "run", "invoices/numbers", "--nodes", "1", "--binary", "invoices/invoices",
		"--checker", "./gaps.py", "--time", "6s", "--rate", "50", "--op-timeout", "5s", "--recovery", "60s"}
	run(0, append(common, "--faults", "rolling")...)
	out := run(1, append(common, "--bug", "blocks")...)
	for _, anomaly := range []string{"gap: ", "missing number: "} {
		if !strings.Contains(out, anomaly) {
			t.Errorf("there is no %q in\n%s", anomaly, out)
		}
	}
	require.Docker(t)
	if out := run(1, append(common, "--bug", "blocks", "--on", "docker")...); !strings.Contains(out, "gap: ") {
		t.Errorf("in a container there is no gap in\n%s", out)
	}
}

// TestExampleInJavaScript runs the store of examples/kv with its other client.
func TestExampleInJavaScript(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three nodes in Python and clients in JavaScript: leave out -short")
	}
	t.Parallel()
	require.Program(t, "python3", "python3")
	require.Program(t, "node", "node")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../examples/kv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self(t), filepath.Join(dir, "fallacy")); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(filepath.Join(dir, "fallacy"), "run", "js.yaml", "--nodes", "3", "--concurrency", "3", "--rate", "30",
		"--time", "6s", "--op-timeout", "10s", "--recovery", "60s", "--faults", "none")
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
