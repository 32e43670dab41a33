package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInspect(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		script:         "is no Linux binary",
		"/bin/sh":      "is not static and does not run where there is nothing else: build it with CGO_ENABLED=0",
		"/nowhere/sh1": "no such file",
	} {
		if _, err := os.Stat(path); err != nil && path == "/bin/sh" {
			continue
		}
		if _, err := Inspect(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
}
