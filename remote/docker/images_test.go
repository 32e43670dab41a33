package docker_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/docker"
	"github.com/fallacy-dev/fallacy/remote/remotetest"
	"github.com/moby/moby/client"
)

// needProgram skips the test where a program is not installed, or fails where it is required.
func needProgram(t *testing.T, program, required string) {
	t.Helper()
	_, err := exec.LookPath(program)
	switch {
	case err != nil && strings.Contains(os.Getenv("FALLACY_REQUIRE"), required):
		t.Fatalf("%s is required: %v", program, err)
	case err != nil:
		t.Skipf("NOT TESTED: %v", err)
	}
}

func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes a while: leave out -short")
	}
}

// server is a target whose process and proof of life a test says.
type server struct {
	remotetest.Target
	argv  func(n fallacy.Node, cluster []fallacy.Node) []string
	ready func(ctx context.Context, addr string) error
	env   []string
}

func (s server) Process(n fallacy.Node, cluster []fallacy.Node) (fallacy.Process, error) {
	return fallacy.Process{Argv: s.argv(n, cluster), Env: s.env}, nil
}

func (s server) Ready(ctx context.Context, n fallacy.Node) error {
	return s.ready(ctx, n.Public["client"])
}

// serve opens a cluster of target with opts, waits until all nodes serve, and returns it.
func serve(t *testing.T, target server, opts docker.Options, nodes ...string) *remote.Cluster {
	t.Helper()
	needDocker(t)
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	opts.Binary, opts.Env, opts.Ports = binary, []string{remotetest.Part + "=agent"}, []string{"client", "peer"}
	opts.Note = func(text string) { t.Log(text) }
	d, err := docker.New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	c, err := remote.Open(t.Context(), d, remote.Options{Nodes: nodes, Ports: opts.Ports, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Start(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes() {
		remotetest.Eventually(t, func() error { return target.Ready(t.Context(), n) })
	}
	return c
}

// etcd is a cluster of the real one.
func etcd() server {
	return server{
		argv: func(n fallacy.Node, cluster []fallacy.Node) []string {
			var all []string
			for _, m := range cluster {
				all = append(all, m.Name+"=http://"+m.Listen["peer"])
			}
			return []string{
				"etcd", "--name", n.Name, "--data-dir", n.Dir + "/etcd", "--initial-cluster", strings.Join(all, ","),
				"--listen-client-urls", "http://" + n.Listen["client"], "--advertise-client-urls", "http://" + n.Listen["client"],
				"--listen-peer-urls", "http://" + n.Listen["peer"], "--initial-advertise-peer-urls", "http://" + n.Listen["peer"],
			}
		},
		ready: func(ctx context.Context, addr string) error { return health(ctx, "http://"+addr+"/health") },
	}
}

func health(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), `"health":"true"`) {
		return fmt.Errorf("%s says %q, %w", url, text, err)
	}
	return nil
}

// redis is a server that answers PING.
func redis() server {
	return server{
		argv: func(n fallacy.Node, _ []fallacy.Node) []string {
			host, port, _ := net.SplitHostPort(n.Listen["client"])
			return []string{"redis-server", "--bind", host, "--port", port, "--protected-mode", "no"}
		},
		ready: func(_ context.Context, addr string) error {
			c, err := net.DialTimeout("tcp", addr, time.Second)
			if err != nil {
				return err
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(time.Second))
			answer := make([]byte, 7)
			fmt.Fprint(c, "PING\r\n")
			if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "+PONG\r\n" {
				return fmt.Errorf("got %q, %w", answer, err)
			}
			return nil
		},
	}
}

func TestProgramsInstalledHereRunInContainers(t *testing.T) {
	long(t)
	t.Run("etcd", func(t *testing.T) {
		needProgram(t, "etcd", "etcd")
		c := serve(t, etcd(), docker.Options{Image: docker.Host, Target: fallacy.Image{Programs: []string{"etcd"}}, Packets: true}, "n1", "n2", "n3")
		if err := c.Lacks(fallacy.NeedClock); err != nil {
			t.Error(err)
		}
		remotetest.Impose(t, c, "clock", map[string]fallacy.Condition{"n2": {Clock: fallacy.Skew{Offset: time.Hour}}})
		remotetest.Impose(t, c, "clock", nil)
	})
	t.Run("redis, by default, as there is no registry", func(t *testing.T) {
		needProgram(t, "redis-server", "redis")
		serve(t, redis(), docker.Options{Target: fallacy.Image{Name: "127.0.0.1:1/nobody/redis:7", Programs: []string{"redis-server"}}}, "n1")
	})
}

// scratch makes an image of nothing but the test's own binary, with an entrypoint and a user.
func scratch(t *testing.T, docker *client.Client) (name string) {
	t.Helper()
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	w := tar.NewWriter(&content)
	err1 := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "server", Mode: 0o755, Size: int64(len(program))})
	_, err2 := w.Write(program)
	if err := errors.Join(err1, err2, w.Close()); err != nil {
		t.Fatal(err)
	}
	name = fmt.Sprintf("fallacy-test-scratch:%d", os.Getpid())
	repo, tag, _ := strings.Cut(name, ":")
	answer, err := docker.ImageImport(t.Context(), client.ImageImportSource{Source: &content, SourceName: "-"}, repo, client.ImageImportOptions{
		Tag: tag, Changes: []string{`ENTRYPOINT ["/server"]`, "ENV FALLACY_TEST_IMAGE=says", "WORKDIR /work", "USER 1234:1235"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err1 = io.Copy(io.Discard, answer)
	if err := errors.Join(err1, answer.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = docker.ImageRemove(context.Background(), name, client.ImageRemoveOptions{Force: true})
	})
	return name
}

// entrypoint is the server of the scratch image: its arguments are all that the target says.
func entrypoint() server {
	return server{
		env:  []string{remotetest.Part + "=entrypoint"},
		argv: func(n fallacy.Node, _ []fallacy.Node) []string { return []string{"-entrypoint", n.Listen["client"]} },
		ready: func(_ context.Context, addr string) error {
			c, err := net.DialTimeout("tcp", addr, time.Second)
			if err != nil {
				return err
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(time.Second))
			text, err := io.ReadAll(c)
			if want := "1234 1235 /work says\n"; err != nil || string(text) != want {
				return fmt.Errorf("got %q, %w; want %q", text, err, want)
			}
			return nil
		},
	}
}

func TestImageOfNothingButAProgram(t *testing.T) {
	name := scratch(t, needDocker(t))
	serve(t, entrypoint(), docker.Options{Image: name}, "n1")
}

func TestBinaryTakesThePlaceOfTheProgram(t *testing.T) {
	long(t)
	needDocker(t)
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	target := server{
		argv:  func(n fallacy.Node, _ []fallacy.Node) []string { return []string{"some-server", n.Listen["client"]} },
		ready: func(_ context.Context, addr string) error { return dialled(addr) },
	}
	serve(t, target, docker.Options{Program: binary, Target: fallacy.Image{Name: "127.0.0.1:1/x", Programs: []string{"some-server"}}}, "n1")
}

func dialled(addr string) error {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	return c.Close()
}

func TestNodesReachEachOtherByIPv6(t *testing.T) {
	long(t)
	needDocker(t)
	target := server{
		argv:  func(n fallacy.Node, _ []fallacy.Node) []string { return []string{fallacy.Self, n.Listen["client"]} },
		ready: func(_ context.Context, addr string) error { return dialled(addr) },
	}
	c := serve(t, target, docker.Options{IPv6: true, Packets: true}, "n1", "n2")
	for _, n := range c.Nodes() {
		if host, _, _ := net.SplitHostPort(n.Listen["client"]); net.ParseIP(host).To4() != nil {
			t.Errorf("%s listens on %s, want an address of IPv6", n.Name, host)
		}
	}
	remotetest.Impose(t, c, "partition", remotetest.Linked("n1", "n2", fallacy.Link{Cut: true}))
	remotetest.Impose(t, c, "partition", nil)
}

// Docker Desktop is not to be had here; its way of reaching nodes is.
func TestClientsGoThroughPublishedPorts(t *testing.T) {
	long(t)
	needDocker(t)
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	for name, packets := range map[string]bool{"packets": true, "doors": false} {
		t.Run(name, func(t *testing.T) {
			d, err := docker.NewIndirect(t.Context(), docker.Options{
				Binary: binary, Env: []string{remotetest.Part + "=agent"}, Ports: []string{"client"}, Packets: packets,
			})
			if err != nil {
				t.Fatal(err)
			}
			c, err := remote.Open(t.Context(), d, remote.Options{Nodes: []string{"n1", "n2"}, Ports: []string{"client"}, Seed: 1})
			remotetest.Start(t, c, err)
			for _, n := range c.Nodes() {
				if host, _, _ := net.SplitHostPort(n.Public["client"]); host != "127.0.0.1" {
					t.Errorf("clients reach %s at %s, want a port on the loopback", n.Name, n.Public["client"])
				}
			}
			remotetest.Impose(t, c, "clients", remotetest.Linked(fallacy.Clients, "n1", fallacy.Link{Cut: true}))
			remotetest.Impose(t, c, "clients", remotetest.Linked("n2", fallacy.Clients, fallacy.Link{Cut: true}))
			remotetest.Impose(t, c, "clients", nil)
		})
	}
}

func TestImagesThatCannotBeHadAreRefused(t *testing.T) {
	needDocker(t)
	binary, err := staticSelf()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	there := fallacy.Image{Programs: []string{"no-such-program"}}
	for want, opts := range map[string]docker.Options{
		"the image 127.0.0.1:1/none:1 is not on this machine and cannot be pulled: ":                                   {Image: "127.0.0.1:1/none:1"},
		"no-such-program is not installed on this machine, so it cannot be packed: install it, or name an image with ": {Image: docker.Host, Target: there},
		"is no Linux program": {Program: script, Target: there},
		"the target is part of fallacy's own binary and takes no other": {Program: binary},
		"cannot be pulled: ": {Target: fallacy.Image{Name: "127.0.0.1:1/none:1", Programs: there.Programs}},
	} {
		opts.Binary = binary
		d, err := docker.New(t.Context(), opts)
		if err == nil {
			d.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want a sentence with %q", err, want)
		}
	}
}
