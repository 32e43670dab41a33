//go:build linux && amd64

package clock

import (
	"bufio"
	"bytes"
	"encoding/json"
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
	"github.com/fallacy-dev/fallacy/internal/require"
)

// runs starts a server with the machine's clock.
func runs(t *testing.T, output io.Writer, word, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(require.Program(t, word, program), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = output, output, t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// wantNow fails the test unless now, which a server told at some time between
// before and this moment, is off by offset.
func wantNow(t *testing.T, what string, now, before time.Time, offset time.Duration) {
	t.Helper()
	const rounding = time.Millisecond
	if real := now.Add(-offset); real.Before(before.Add(-rounding)) || real.After(time.Now().Add(rounding)) {
		t.Errorf("%s is off by %v, want %v", what, now.Sub(before), offset)
	}
}

// redisTime asks a Redis server for its time over its socket.
func redisTime(socket string) (time.Time, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return time.Time{}, err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "TIME\r\n"); err != nil {
		return time.Time{}, err
	}
	var seconds, micros, length int64
	_, err = fmt.Fscanf(bufio.NewReader(conn), "*2\r\n$%d\r\n%d\r\n$%d\r\n%d\r\n", &length, &seconds, &length, &micros)
	return time.Unix(seconds, micros*1000), err
}

// A Redis server that runs already tells the time of the clock that it is given.
func TestAdoptRedis(t *testing.T) {
	c := newClock(t)
	socket := filepath.Join(t.TempDir(), "s")
	cmd := runs(t, nil, "redis", "redis-server", "--port", "0", "--unixsocket", socket, "--save", "")
	until(t, "a server", func() bool { _, err := redisTime(socket); return err == nil })
	if err := c.Adopt(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	for _, offset := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		set(t, c, fallacy.Skew{Offset: offset})
		before := time.Now()
		// Redis reads its clock once a turn of its loop: the first answer may be of the turn before.
		if _, err := redisTime(socket); err != nil {
			t.Fatal(err)
		}
		now, err := redisTime(socket)
		if err != nil {
			t.Fatal(err)
		}
		wantNow(t, "TIME", now, before, offset)
	}
}

// An etcd that runs already, static and without symbols as it is released, writes
// other times into its log, and goes on serving.
func TestAdoptEtcd(t *testing.T) {
	c := newClock(t)
	out, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + free.Addr().String()
	free.Close()
	cmd := runs(t, out, "etcd", "etcd", "--logger", "zap", "--log-outputs", "stderr", "--data-dir", filepath.Join(t.TempDir(), "d"),
		"--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", "http://127.0.0.1:0")
	post := func(path, body string) error {
		answer, err := http.Post(url+path, "application/json", strings.NewReader(body))
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", path, answer.Status)
		}
		return nil
	}
	until(t, "a server", func() bool { return post("/v3/kv/put", `{"key":"YQ==","value":"YQ=="}`) == nil })
	if err := c.Adopt(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	for _, offset := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		set(t, c, fallacy.Skew{Offset: offset})
		before := time.Now()
		if err := post("/v3/maintenance/defragment", "{}"); err != nil {
			t.Fatal(err)
		}
		wantNow(t, "the log", lastLogged(t, out.Name()), before, offset)
		if err := post("/v3/kv/put", `{"key":"YQ==","value":"YQ=="}`); err != nil {
			t.Fatal(err)
		}
	}
}

// lastLogged is when etcd says that it wrote its last line.
func lastLogged(t *testing.T, path string) time.Time {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	var line struct{ TS string }
	if err := json.Unmarshal(lines[len(lines)-1], &line); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse("2006-01-02T15:04:05.000Z0700", line.TS)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// asked wants a program that answers each byte with its wall clock and its monotonic
// clock, in ns, to have its wall clock skewed, and nothing else.
func asked(t *testing.T, c *Clock, p *target) {
	t.Helper()
	ask := func() (wall, mono int64) {
		t.Helper()
		if _, err := io.WriteString(p.in, "\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fscan(p.out, &wall, &mono); err != nil {
			t.Fatal(err)
		}
		return wall, mono
	}
	ask()
	take(t, c, p)
	_, first := ask()
	began := time.Now()
	for _, offset := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		set(t, c, fallacy.Skew{Offset: offset})
		before := time.Now()
		wall, mono := ask()
		wantNow(t, "the answer", time.Unix(0, wall), before, offset)
		if off := time.Duration(mono-first) - time.Since(began); off.Abs() > 200*time.Millisecond {
			t.Errorf("offset %v: the monotonic clock is off by %v", offset, off)
		}
	}
	p.end()
}

func TestAdoptPython(t *testing.T) {
	const script = `import sys, time
while sys.stdin.read(1): print(time.time_ns(), time.monotonic_ns(), flush=True)`
	cmd := exec.Command(require.Program(t, "python3", "python3"), "-c", script)
	if out, err := exec.Command(cmd.Path, "-c", "import sys; print(sys.executable)").Output(); err == nil {
		cmd.Path = strings.TrimSpace(string(out)) // not a shim that executes it
	}
	asked(t, newClock(t), launch(t, nil, cmd))
}

// A JVM, with its collector at work all the time.
func TestAdoptJava(t *testing.T) {
	java := require.Program(t, "java", "java")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Clocks.class"), clocksClass(), 0o644); err != nil {
		t.Fatal(err)
	}
	asked(t, newClock(t), launch(t, nil, exec.Command(java, "-Xmx32m", "-XX:+UseParallelGC", "-cp", dir, "Clocks")))
}
