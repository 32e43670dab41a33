package docker

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInspectBinary(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		script:         "is no Linux binary",
		"/bin/sh":      "is not static and does not run in an empty container: build it with CGO_ENABLED=0",
		"/nowhere/sh1": "no such file",
	} {
		if _, err := os.Stat(path); err != nil && path == "/bin/sh" {
			continue
		}
		if _, err := inspectBinary(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", path, err, want)
		}
	}
}

func TestNoDocker(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
	if _, err := connect(context.Background()); err == nil || !strings.Contains(err.Error(), "there is no Docker at unix:///nowhere/docker.sock: start Docker Engine") {
		t.Errorf("got %v, want a remedy", err)
	}
	if left, err := Leftovers(t.Context()); left != nil || err != nil {
		t.Errorf("leftovers where there is no Docker: got %v, %v; want none", left, err)
	}
}

func TestOwner(t *testing.T) {
	me := self()
	if o, ok := parseOwner(me.String()); !ok || o != me {
		t.Errorf("got %v, %v; want %v", o, ok, me)
	}
	for name, c := range map[string]struct {
		change func(*owner)
		dead   bool
	}{
		"alive":                        {func(*owner) {}, false},
		"gone":                         {func(o *owner) { o.pid = 1 << 30 }, true},
		"before the last boot":         {func(o *owner) { o.boot = "another" }, true},
		"its number is another's now":  {func(o *owner) { o.start = "1" }, startOf(os.Getpid()) != ""},
		"on another machine, unknown":  {func(o *owner) { o.host, o.pid = "elsewhere", 1<<30 }, false},
		"on another machine, any boot": {func(o *owner) { o.host, o.boot = "elsewhere", "another" }, false},
	} {
		o := me
		if c.change(&o); o.dead() != c.dead {
			t.Errorf("%s: dead is %v, want %v", name, o.dead(), c.dead)
		}
	}
	for _, bad := range []string{"", "a/b/c", "a/b/x/1", "a/b/-1/1"} {
		if o, ok := parseOwner(bad); ok {
			t.Errorf("%q: got %v, want a refusal", bad, o)
		}
	}
}
