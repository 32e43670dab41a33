package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
)

// serve runs an agent in this process, and returns the controller's end.
func serve(t *testing.T, name string, deadline time.Duration) (*agent.Client, agent.Greeting, chan error) {
	t.Helper()
	near, far := net.Pipe()
	ended := make(chan error, 1)
	dir := t.TempDir()
	go func() { ended <- agent.Serve(context.Background(), far, agent.Options{Dir: dir, Host: "127.0.0.1"}) }()
	c := agent.NewClient(name, near)
	t.Cleanup(func() { c.Close() })
	g, err := c.Hello(t.Context(), agent.Hello{Node: name, Ports: []string{"client"}, Seed: 1, Deadline: deadline})
	if err != nil {
		t.Fatal(err)
	}
	return c, g, ended
}

func eventually(t *testing.T, ok func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

func report(t *testing.T, c *agent.Client, look agent.Look) agent.Report {
	t.Helper()
	r, err := c.Report(t.Context(), look)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var sleeper = fallacy.Process{Argv: []string{"/bin/sh", "-c", "echo up; while :; do sleep 0.02; done"}}

func TestDeadMansSwitchHealsAndSaysSo(t *testing.T) {
	c, _, _ := serve(t, "n1", 300*time.Millisecond)
	if _, err := c.Start(t.Context(), sleeper); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), agent.State{Process: fallacy.Paused}); err != nil {
		t.Fatal(err)
	}
	if r := report(t, c, agent.Look{Process: true}); r.ProcessErr != "" || r.Tripped != "" {
		t.Fatalf("at first: %+v", r)
	}
	eventually(t, func() error {
		if r := report(t, c, agent.Look{}); !strings.Contains(r.Tripped, "healed itself after 300ms") {
			return fmt.Errorf("the switch did not trip: %+v", r)
		}
		return nil
	})
	if r := report(t, c, agent.Look{Process: true}); r.ProcessErr != "" || r.Process.PID == 0 {
		t.Errorf("the node is not well: %+v", r)
	}
	if err := c.Apply(t.Context(), agent.State{}); err != nil {
		t.Fatal(err)
	}
	if r := report(t, c, agent.Look{}); r.Tripped != "" {
		t.Errorf("back in charge, the controller still hears %q", r.Tripped)
	}
}

func TestSignsOfLifeKeepFaultsInForce(t *testing.T) {
	c, _, _ := serve(t, "n1", 200*time.Millisecond)
	if _, err := c.Start(t.Context(), sleeper); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), agent.State{Process: fallacy.Paused}); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 25 {
		<-tick.C
		if err := c.Alive(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if r := report(t, c, agent.Look{Process: true}); r.Tripped != "" || r.ProcessErr != "" {
		t.Errorf("after half a second of signs of life: %+v", r)
	}
}

func TestStreamThatEndsHeals(t *testing.T) {
	c, g, ended := serve(t, "n1", time.Minute)
	if _, err := c.Start(t.Context(), sleeper); err != nil {
		t.Fatal(err)
	}
	doors, err := c.Connect(t.Context(), agent.Routes{})
	if err != nil {
		t.Fatal(err)
	}
	pid := report(t, c, agent.Look{}).Process.PID
	if err := c.Apply(t.Context(), agent.State{Process: fallacy.Paused}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the agent does not end with its stream")
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
		t.Errorf("the target, process %d, outlives its agent", pid)
	}
	for _, addr := range []string{doors.Public["client"], g.Listen[agent.Probe]} {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			t.Errorf("somebody listens at %s after the end", addr)
		}
	}
}

func TestAgentThatIsToldToEndHeals(t *testing.T) {
	r, w, err := os.Pipe() // nobody closes it: a read from it never returns
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- agent.Serve(ctx, silent{r}, agent.Options{Dir: t.TempDir(), Host: "127.0.0.1"})
	}()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the agent waits for its stream to end")
	}
}

// silent is a stream on which nothing comes, and that does not notice its end.
type silent struct{ *os.File }

func (silent) Close() error { return nil }

func TestTargetsFilesAndLogs(t *testing.T) {
	c, g, _ := serve(t, "n1", time.Minute)
	p := fallacy.Process{Argv: []string{"/bin/cat", "etc/conf", "missing"}, Files: map[string]string{"etc/conf": "a=b\n"}, Logs: []string{"etc/conf", "../../secret", "nowhere"}}
	if _, err := c.Start(t.Context(), fallacy.Process{Argv: p.Argv, Files: map[string]string{"../evil": ""}}); err == nil || !strings.Contains(err.Error(), "not inside its data directory") {
		t.Errorf("a file outside: got %v", err)
	}
	if _, err := c.Start(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		var out bytes.Buffer
		if err := c.Fetch(t.Context(), "logs/output.log", &out); err != nil {
			return err
		}
		if !strings.Contains(out.String(), "a=b\n") {
			return fmt.Errorf("the output is %q", out.String())
		}
		return nil
	})
	files, err := c.Logs(t.Context())
	if err != nil || len(files) != 2 || files[1].Name != "data/etc/conf" {
		t.Errorf("logs: got %v, %v", files, err)
	}
	for _, name := range []string{"../../etc/passwd", "/etc/passwd", g.Dir} {
		if err := c.Fetch(t.Context(), name, new(bytes.Buffer)); err == nil {
			t.Errorf("%s was handed out", name)
		}
	}
}

func TestUngreetedAgent(t *testing.T) {
	near, far := net.Pipe()
	go agent.Serve(t.Context(), far, agent.Options{Dir: t.TempDir(), Host: "127.0.0.1"})
	c := agent.NewClient("n1", near)
	defer c.Close()
	if _, err := c.Report(t.Context(), agent.Look{}); err == nil || !strings.Contains(err.Error(), "n1: the agent was not greeted") {
		t.Errorf("got %v", err)
	}
	if err := c.Ping(t.Context(), agent.Ping{Seq: 1}); err == nil {
		t.Error("an agent that nobody greeted pings")
	}
}

func TestReplaceBeginsWithNothing(t *testing.T) {
	c, g, _ := serve(t, "n1", time.Minute)
	script := func(says string) fallacy.Process {
		return fallacy.Process{
			Argv:  []string{"/bin/sh", "-c", "echo " + says + " with $(ls); touch left; while :; do sleep 0.02; done"},
			Files: map[string]string{says + "/conf": "x"},
		}
	}
	if err := c.Replace(t.Context(), script("early")); err == nil || !strings.Contains(err.Error(), "no target") {
		t.Errorf("before there is a target: got %v", err)
	}
	if _, err := c.Start(t.Context(), script("first")); err != nil {
		t.Fatal(err)
	}
	said := func(want string) {
		t.Helper()
		eventually(t, func() error {
			var out bytes.Buffer
			if err := c.Fetch(t.Context(), "logs/output.log", &out); err != nil {
				return err
			}
			if !strings.HasSuffix(out.String(), want) {
				return fmt.Errorf("the output is %q, want %q at its end", out.String(), want)
			}
			return nil
		})
	}
	said("first with first\n")
	eventually(t, func() error { _, err := os.Stat(g.Dir + "/left"); return err })
	if err := c.Replace(t.Context(), script("second")); err != nil {
		t.Fatal(err)
	}
	said("second with second\n")

	// What is imposed holds for what comes.
	if err := c.Apply(t.Context(), agent.State{Seq: 1, Process: fallacy.Killed}); err != nil {
		t.Fatal(err)
	}
	if err := c.Replace(t.Context(), script("third")); err != nil {
		t.Fatal(err)
	}
	if r := report(t, c, agent.Look{Process: true}); r.ProcessErr != "" || r.Process.PID != 0 {
		t.Errorf("replaced while killed: %+v", r)
	}
	if err := c.Apply(t.Context(), agent.State{Seq: 2}); err != nil {
		t.Fatal(err)
	}
	said("third with third\n")
	if r := report(t, c, agent.Look{Process: true}); r.ProcessErr != "" || r.Process.Starts != 3 || len(r.Process.Exits) > 0 {
		t.Errorf("got %+v, want 3 starts and no end that nobody asked for", r.Process)
	}
}
