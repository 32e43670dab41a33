package require

import (
	"context"
	"testing"

	"github.com/moby/moby/client"
)

// Docker ends a test as [Absent] does where no Docker Engine answers.
func Docker(t testing.TB) {
	t.Helper()
	if err := NoDocker(context.Background()); err != nil {
		Absent(t, "docker", err)
	}
}

// NoDocker returns why no Docker Engine answers, nil if one does.
func NoDocker(ctx context.Context) error {
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	defer docker.Close()
	_, err = docker.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	return err
}
