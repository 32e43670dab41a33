package docker

import (
	"context"
	"strings"
	"testing"
)

func TestNoDocker(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
	if _, err := connect(context.Background()); err == nil || !strings.Contains(err.Error(), "there is no Docker at unix:///nowhere/docker.sock: start Docker Engine") {
		t.Errorf("got %v, want a remedy", err)
	}
	if left, err := Leftovers(t.Context()); left != nil || err != nil {
		t.Errorf("leftovers where there is no Docker: got %v, %v; want none", left, err)
	}
}
