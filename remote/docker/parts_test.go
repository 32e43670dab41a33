package docker_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy/agent"
	"github.com/moby/moby/client"
)

// The test binary plays all the parts: the agent, the target, a controller.
func TestMain(m *testing.M) {
	switch os.Getenv("FALLACY_TEST_PART") {
	case "agent":
		playAgent()
	case "target":
		if os.Args[1] == "-entrypoint" {
			playEntrypoint(os.Args[2])
		}
		playTarget(os.Args[1])
	case "parent": // of orphans
		for range 3 {
			play("orphan")
		}
	case "orphan":
		time.Sleep(100 * time.Millisecond)
	case "controller":
		playController()
	default:
		code := m.Run()
		_ = os.RemoveAll(built)
		os.Exit(code)
	}
}

// built is the directory that staticSelf makes; empty: it has not.
var built string

func playAgent() {
	serve := func() error { return agent.Init(context.Background()) }
	if os.Getpid() != 1 {
		os.Setenv("FALLACY_TEST_PART", "target")
		serve = func() error {
			return agent.Serve(context.Background(), stdio{}, options(os.Args[1:]))
		}
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options reads what the dialer tells an agent.
func options(args []string) (o agent.Options) {
	f := flag.NewFlagSet("agent", flag.ExitOnError)
	f.StringVar(&o.Dir, "dir", "", "")
	f.StringVar(&o.Host, "host", "", "")
	f.StringVar(&o.Bin, "bin", "", "")
	f.IntVar(&o.FirstPort, "first-port", 0, "")
	f.BoolVar(&o.Packets, "packets", false, "")
	f.Func("image", "", func(text string) error { return json.Unmarshal([]byte(text), &o.Image) })
	_ = f.Parse(args) // it exits
	return o
}

// playEntrypoint listens, and tells whoever connects who and where it is.
func playEntrypoint(addr string) {
	l, err := net.Listen("tcp", addr)
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

type stdio struct{}

func (stdio) Read(p []byte) (int, error)  { return os.Stdin.Read(p) }
func (stdio) Write(p []byte) (int, error) { return os.Stdout.Write(p) }
func (stdio) Close() error                { return os.Stdin.Close() }

// play starts this program in another part.
func play(part string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FALLACY_TEST_PART="+part)
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return cmd
}

// playTarget listens, and tells whoever connects the time on its clock, how many
// dead processes nobody reaped, and whether PID 1 is all that has become of the orphans it made.
func playTarget(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_ = play("parent").Wait()
	fmt.Println("listening")
	go func() {
		for range time.Tick(10 * time.Millisecond) { // as servers do all the time
		}
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			continue
		}
		processes, zombies := census()
		fmt.Fprintln(c, time.Now().UnixNano(), processes, zombies)
		c.Close()
	}
}

// census counts the processes in the container, and those among them that have ended.
func census() (processes, zombies int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, _ := os.ReadFile(path)
		if strings.Contains(string(stat), ") Z ") {
			zombies++
		}
	}
	return len(stats), zombies
}

// needDocker returns a client of Docker. Without one the test is skipped, or
// fails where Docker is required.
func needDocker(t *testing.T) *client.Client {
	t.Helper()
	docker, err := client.New(client.FromEnv)
	if err == nil {
		_, err = docker.Ping(t.Context(), client.PingOptions{NegotiateAPIVersion: true})
	}
	switch {
	case err != nil && strings.Contains(os.Getenv("FALLACY_REQUIRE"), "docker"):
		t.Fatal("Docker is required: ", err)
	case err != nil:
		t.Skip("SKIPPED, there is no Docker: ", err)
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
