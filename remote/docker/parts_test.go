package docker_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/fallacy-dev/fallacy/internal/require"
	"github.com/fallacy-dev/fallacy/remote/remotetest"
	"github.com/moby/moby/client"
)

// The test binary plays all the parts: the agent, the target, a controller, the
// program of an image.
func TestMain(m *testing.M) {
	if remotetest.Play(map[string]func(){"controller": playController, "entrypoint": playEntrypoint}) {
		return
	}
	code := m.Run()
	_ = os.RemoveAll(built)
	os.Exit(code)
}

// built is the directory that staticSelf makes; empty: it has not.
var built string

// playEntrypoint listens, and tells whoever connects who and where it is.
func playEntrypoint() {
	l, err := net.Listen("tcp", os.Args[2])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			continue
		}
		dir, _ := os.Getwd()
		fmt.Fprintln(c, os.Getuid(), os.Getgid(), dir, os.Getenv("FALLACY_TEST_IMAGE"))
		c.Close()
	}
}

// needDocker returns a client of Docker. Without one the test is skipped, or
// fails where Docker is required.
func needDocker(t *testing.T) *client.Client {
	t.Helper()
	require.Docker(t)
	docker, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { docker.Close() })
	return docker
}

// staticSelf is this test, built without cgo.
var staticSelf = sync.OnceValues(func() (string, error) {
	var err error
	if built, err = os.MkdirTemp("", "fallacy-docker-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(built, "fallacy")
	cmd := exec.Command("go", "test", "-c", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the agent: %w\n%s", err, out)
	}
	return path, nil
})
