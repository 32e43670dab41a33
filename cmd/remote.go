package cmd

import (
	"context"
	"fmt"
	"os"

	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/docker"
	"github.com/fallacy-dev/fallacy/remote/local"
)

// remotes are what --on takes.
func remotes() []string { return []string{"local", "docker"} }

// dial returns the dialer for what --on names.
func dial(ctx context.Context, on string) (remote.Dialer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find fallacy's own binary: %w", err)
	}
	if on == "docker" {
		return docker.New(ctx, docker.Options{Binary: self, Args: []string{"agent"}})
	}
	return local.New(self, "agent")
}
