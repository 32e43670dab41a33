package cmd_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/fallacy-dev/fallacy/internal/require"
	"github.com/rogpeppe/go-internal/testscript"
)

// haveDocker tells whether scripts about Docker can run. Where it is required
// they run in any case, and fail without it.
func haveDocker() bool {
	if require.Required("docker") {
		return true
	}
	err := require.NoDocker(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "SKIPPED, there is no Docker:", err)
	}
	return err == nil
}

// static builds the command without cgo, as the script's ./fallacy.
func static(ts *testscript.TestScript, neg bool, args []string) {
	build := exec.Command("go", "build", "-o", filepath.Join(ts.Getenv("WORK"), "fallacy"), "./fallacy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		ts.Fatalf("build fallacy: %v\n%s", err, out)
	}
}
