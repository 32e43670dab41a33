package refstore

import (
	"os"
	"testing"
)

// TestMain lets the test binary run a node, so that tests can kill one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "refstore" {
		os.Exit(Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}
