// Package docs_test holds the README, these pages and the examples to what they say.
package docs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/fallacy-dev/fallacy/cmd"
)

// The test binary is the command: by the name that a link gives it, and for the
// agents and stores that it starts by its own path.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "fallacy" || len(os.Args) > 1 && (os.Args[1] == "agent" || os.Args[1] == "refstore") {
		os.Exit(cmd.Main(cmd.Builtin()))
	}
	os.Exit(m.Run())
}
