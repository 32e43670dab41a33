package docker_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote/docker"
	"github.com/fallacy-dev/fallacy/remote/remotetest"
	"github.com/moby/moby/client"
)

// entrypointScript does what those of official images do: it becomes another user,
// then the server.
const entrypointScript = `#!/usr/bin/sh
set -e
if [ "${1#-}" != "$1" ]; then
	set -- redis-server "$@"
fi
if [ "$1" = redis-server -a "$(id -u)" = 0 -a -z "$STAY_ROOT" ]; then
	exec setpriv --reuid=1234 --regid=1234 --clear-groups "$0" "$@"
fi
umask 0077
exec "$@"
`

// scripted makes an image of a Redis server with a shell script as its entrypoint.
func scripted(t *testing.T, d *client.Client) (name string) {
	t.Helper()
	needProgram(t, "redis-server", "redis")
	var content bytes.Buffer
	programs := fallacy.Image{Programs: []string{"redis-server", "sh", "id", "setpriv"}}
	if err := docker.WriteHost(&content, programs, "/entrypoint.sh", entrypointScript); err != nil {
		t.Fatal(err)
	}
	repo, tag := "fallacy-test-scripted", fmt.Sprint(os.Getpid())
	answer, err := d.ImageImport(t.Context(), client.ImageImportSource{Source: &content, SourceName: "-"}, repo, client.ImageImportOptions{
		Tag: tag, Changes: []string{`ENTRYPOINT ["/entrypoint.sh"]`, `CMD ["redis-server"]`},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := io.Copy(io.Discard, answer)
	if err := errors.Join(err1, answer.Close()); err != nil {
		t.Fatal(err)
	}
	name = repo + ":" + tag
	t.Cleanup(func() {
		_, _ = d.ImageRemove(context.Background(), name, client.ImageRemoveOptions{Force: true})
	})
	return name
}

// behindScript is Redis by that image's own entrypoint.
func behindScript() server {
	s := redis()
	own := s.argv
	s.argv = func(n fallacy.Node, cluster []fallacy.Node) []string {
		return append(own(n, cluster)[1:], "--save", "", "--dir", "/tmp")
	}
	return s
}

// timeOf is how far a Redis server's TIME is from this machine's.
func timeOf(n fallacy.Node) (time.Duration, error) {
	conn, err := net.DialTimeout("tcp", n.Public["client"], time.Second)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	err1 := conn.SetDeadline(time.Now().Add(time.Second))
	_, err2 := io.WriteString(conn, "TIME\r\n")
	if err := errors.Join(err1, err2); err != nil {
		return 0, err
	}
	var length, seconds, micros int64
	_, err = fmt.Fscanf(bufio.NewReader(conn), "*2\r\n$%d\r\n%d\r\n$%d\r\n%d\r\n", &length, &seconds, &length, &micros)
	return time.Until(time.Unix(seconds, micros*1000)), err
}

// wantTime waits until n's server tells the time with that offset, to the second.
func wantTime(t *testing.T, n fallacy.Node, offset time.Duration) {
	t.Helper()
	remotetest.Eventually(t, func() error {
		got, err := timeOf(n)
		if err != nil || (got-offset).Abs() > time.Second {
			return fmt.Errorf("%s says that its clock is off by %v, %w; want %v", n.Name, got, err, offset)
		}
		return nil
	})
}

// A server behind a script that becomes another user and ends in exec has a clock of
// its own, after it was killed and started again as well.
func TestClockBehindAScript(t *testing.T) {
	long(t)
	name := scripted(t, needDocker(t))
	c := serve(t, behindScript(), docker.Options{Image: name, Clocks: true}, "n1", "n2")
	n1, n2 := c.Nodes()[0], c.Nodes()[1]
	hour := map[string]fallacy.Condition{"n1": {Clock: fallacy.Skew{Offset: time.Hour}}}
	if got := remotetest.Impose(t, c, "clock", hour); !strings.Contains(got, "3600") {
		t.Errorf("verified as %s", got)
	}
	wantTime(t, n1, time.Hour)
	wantTime(t, n2, 0)
	remotetest.Impose(t, c, "kill", map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}})
	remotetest.Impose(t, c, "kill", nil)
	wantTime(t, n1, time.Hour)
	if _, err := c.Verify(t.Context(), "clock"); err != nil {
		t.Error(err)
	}
	remotetest.Impose(t, c, "pause", map[string]fallacy.Condition{"n1": {Process: fallacy.Paused}})
	remotetest.Impose(t, c, "pause", nil)
	remotetest.Impose(t, c, "clock", nil)
	wantTime(t, n1, 0)
}

// One that stays who it is takes no capability.
func TestClockBehindAScriptOfRoot(t *testing.T) {
	long(t)
	name := scripted(t, needDocker(t))
	target := behindScript()
	target.env = []string{"STAY_ROOT=1"}
	c := serve(t, target, docker.Options{Image: name}, "n1")
	remotetest.Impose(t, c, "clock", map[string]fallacy.Condition{"n1": {Clock: fallacy.Skew{Offset: -time.Hour}}})
	wantTime(t, c.Nodes()[0], -time.Hour)
	remotetest.Impose(t, c, "clock", nil)
	wantTime(t, c.Nodes()[0], 0)
}

// Without the capability the skew is not taken for one that is in force.
func TestClockBehindAScriptTakesACapability(t *testing.T) {
	long(t)
	name := scripted(t, needDocker(t))
	c := serve(t, behindScript(), docker.Options{Image: name}, "n1")
	if err := c.Impose(t.Context(), "clock", map[string]fallacy.Condition{"n1": {Clock: fallacy.Skew{Offset: time.Hour}}}); err != nil {
		t.Fatal(err)
	}
	_, err := c.Verify(t.Context(), "clock")
	for _, word := range []string{"n1", "has the machine's clock", "CAP_SYS_PTRACE"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("got %v, want %q in it", err, word)
		}
	}
	wantTime(t, c.Nodes()[0], 0)
	remotetest.Impose(t, c, "clock", nil)
}
