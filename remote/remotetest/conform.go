package remotetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote"
)

// patience is how long anything may take on a busy machine.
const patience = 30 * time.Second

// Eventually waits until ok is.
func Eventually(t *testing.T, ok func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
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

// Start starts [Target] on a cluster that was opened, waits until every node
// serves, and has the cluster closed at the end of the test.
func Start(t *testing.T, c *remote.Cluster, err error) *remote.Cluster {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Start(t.Context(), Target{}); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes() {
		Eventually(t, func() error { return Target{}.Ready(t.Context(), n) })
	}
	return c
}

// Impose imposes and verifies, and returns the evidence.
func Impose(t *testing.T, c *remote.Cluster, fault string, conds map[string]fallacy.Condition) string {
	t.Helper()
	if err := c.Impose(t.Context(), fault, conds); err != nil {
		t.Fatal(err)
	}
	evidence, err := c.Verify(t.Context(), fault)
	if err != nil {
		t.Fatalf("%s: %v (%v)", fault, err, evidence)
	}
	return evidence.String()
}

// Linked is a condition of one link.
func Linked(from, to string, l fallacy.Link) map[string]fallacy.Condition {
	return map[string]fallacy.Condition{from: {Links: map[string]fallacy.Link{to: l}}}
}

// step is a fault, and what is to be seen of it.
type step struct {
	fault, want string
	conds       map[string]fallacy.Condition
}

func (s step) run(t *testing.T, c *remote.Cluster) {
	t.Run(s.fault, func(t *testing.T) {
		if got := Impose(t, c, s.fault, s.conds); !strings.Contains(got, s.want) {
			t.Errorf("evidence: got %s, want %s in it", got, s.want)
		}
		Impose(t, c, s.fault, nil)
		Impose(t, c, s.fault, nil) // harmless when healthy
	})
}

// Conform puts a cluster of n1, n2 and n3, started by [Start], through everything
// that any remote can do, and through what its Lacks says that it can.
func Conform(t *testing.T, c *remote.Cluster) {
	for _, s := range []step{
		{"cut one way", `{"closed_links":["n1>n2"],"open_links":0`, Linked("n1", "n2", fallacy.Link{Cut: true})},
		{"cut from clients", `"closed_links":["clients>n3"]`, Linked(fallacy.Clients, "n3", fallacy.Link{Cut: true})},
		{"cut to clients", `"closed_links":["n3>clients"]`, Linked("n3", fallacy.Clients, fallacy.Link{Cut: true})},
		{"reset", `"closed_links":["n2>n3"]`, Linked("n2", "n3", fallacy.Link{Reset: true})},
		{"stall", `"closed_links":["n2>n3"]`, Linked("n2", "n3", fallacy.Link{Stall: true})},
		{"delay", `"rtt_ns":[["n2>n3",`, Linked("n2", "n3", fallacy.Link{Delay: 50 * time.Millisecond})},
		{"rate", `"rtt_ns":[["n2>n3",`, Linked("n2", "n3", fallacy.Link{Rate: 10_000})},
		{"kill", `"n1":"killed, process 0, start 1"`, map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}}},
		{"pause", `"n2":"paused, process`, map[string]fallacy.Condition{"n2": {Process: fallacy.Paused}}},
		{"restart", `"n2":"terminated, process 0`, map[string]fallacy.Condition{"n2": {Process: fallacy.Terminated}}},
	} {
		s.run(t, c)
	}
	t.Run("half an injection", func(t *testing.T) { half(t, c) })
	t.Run("packets", func(t *testing.T) { packets(t, c) })
	t.Run("overlap", func(t *testing.T) { overlap(t, c) })
	t.Run("refusals", func(t *testing.T) { refusals(t, c) })
	t.Run("clock", func(t *testing.T) { clock(t, c) })
	t.Run("logs", func(t *testing.T) { logs(t, c) })
	if evidence, err := c.Verify(t.Context(), ""); err != nil {
		t.Errorf("at the end: %v (%v)", err, evidence)
	}
}

// half imposes something and does not wait for what becomes of it: a heal mends it
// all the same.
func half(t *testing.T, c *remote.Cluster) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	conds := Linked("n1", "n2", fallacy.Link{Cut: true})
	conds["n3"] = fallacy.Condition{Process: fallacy.Paused}
	if err := c.Impose(ctx, "half", conds); err == nil {
		t.Error("what nobody waited for is said to be in force")
	}
	Impose(t, c, "half", nil)
}

func packets(t *testing.T, c *remote.Cluster) {
	loss := Linked("n1", "n2", fallacy.Link{Loss: 0.3})
	if lack := c.Lacks(fallacy.NeedPackets); lack != nil {
		if err := c.Impose(t.Context(), "loss", loss); err == nil || !strings.Contains(err.Error(), lack.Error()) {
			t.Errorf("loss where packets cannot be lost: got %v, want %v", err, lack)
		}
		t.Skip("the cluster has none: ", lack)
	}
	link := `"link":"n1>n2","overtaken":`
	for _, s := range []step{
		{"loss", link, loss},
		{"duplicate", link, Linked("n1", "n2", fallacy.Link{Duplicate: 0.3})},
		{"reorder", link, Linked("n1", "n2", fallacy.Link{Reorder: 0.5})},
		{"corrupt", link, Linked("n1", "n2", fallacy.Link{Corrupt: 0.3})},
		{"loss to clients", `"link":"n3>clients","overtaken":`, Linked("n3", fallacy.Clients, fallacy.Link{Loss: 0.3})},
		{"loss from clients", `"link":"clients>n3","overtaken":`, Linked(fallacy.Clients, "n3", fallacy.Link{Loss: 0.3})},
		{"loss and delay", link, Linked("n1", "n2", fallacy.Link{Loss: 0.2, Delay: 50 * time.Millisecond})},
	} {
		s.run(t, c)
	}
	// A process that is started again meets the same network.
	Impose(t, c, "loss", loss)
	Impose(t, c, "kill", map[string]fallacy.Condition{"n2": {Process: fallacy.Killed}})
	Impose(t, c, "kill", nil)
	if evidence, err := c.Verify(t.Context(), "loss"); err != nil {
		t.Errorf("after a restart: %v (%v)", err, evidence)
	}
	Impose(t, c, "loss", nil)
}

func overlap(t *testing.T, c *remote.Cluster) {
	Impose(t, c, "partition", Linked("n1", "n2", fallacy.Link{Cut: true}))
	Impose(t, c, "delay", map[string]fallacy.Condition{"n1": {Links: map[string]fallacy.Link{"n2": {Delay: time.Millisecond}, "n3": {Delay: 20 * time.Millisecond}}}})
	Impose(t, c, "kill", map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}})
	if err := c.Impose(t.Context(), "pause", map[string]fallacy.Condition{"n1": {Process: fallacy.Paused}}); err != nil {
		t.Fatal(err)
	}
	if evidence, err := c.Verify(t.Context(), "pause"); err == nil || !strings.Contains(err.Error(), "ended by another fault") {
		t.Errorf("the pause of a process that is not there took effect: %v", evidence)
	}
	Impose(t, c, "kill", nil) // what remains is paused
	if _, err := c.Verify(t.Context(), "pause"); err != nil {
		t.Error(err)
	}
	Impose(t, c, "delay", nil)
	Impose(t, c, "partition", nil)
	Impose(t, c, "pause", nil)
}

func refusals(t *testing.T, c *remote.Cluster) {
	for want, conds := range map[string]map[string]fallacy.Condition{
		`there is no node "n9"`:            {"n9": {}},
		`there is no link from n1 to "n1"`: Linked("n1", "n1", fallacy.Link{Cut: true}),
		`clients have links only`:          {fallacy.Clients: {Process: fallacy.Killed}},
	} {
		if err := c.Impose(t.Context(), "f", conds); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// clock skews one node's clock, and no other's; a restart keeps the skew, which
// is a state and not an event.
func clock(t *testing.T, c *remote.Cluster) {
	if err := c.Lacks(fallacy.NeedClock); err != nil {
		t.Skip("the cluster has none: ", err)
	}
	skewed := func(i int, want time.Duration) func() error {
		return func() error {
			if a, err := Ask(c.Nodes()[i]); err != nil || (a.Skew-want).Abs() > 5*time.Second {
				return fmt.Errorf("node %d says that its clock is off by %v, %w; want %v", i+1, a.Skew, err, want)
			}
			return nil
		}
	}
	Impose(t, c, "clock", map[string]fallacy.Condition{"n1": {Clock: fallacy.Skew{Offset: time.Hour}}})
	Eventually(t, skewed(0, time.Hour))
	Eventually(t, skewed(1, 0))
	Impose(t, c, "kill", map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}})
	Impose(t, c, "kill", nil)
	Eventually(t, skewed(0, time.Hour))
	Impose(t, c, "clock", nil)
	Eventually(t, skewed(0, 0))
}

type buffer struct{ bytes.Buffer }

func (*buffer) Close() error { return nil }

func logs(t *testing.T, c *remote.Cluster) {
	var mu sync.Mutex
	got := make(map[string]*buffer)
	err := c.Logs(t.Context(), func(node, name string) (io.WriteCloser, error) {
		mu.Lock()
		defer mu.Unlock()
		got[node+"/"+name] = &buffer{}
		return got[node+"/"+name], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"n3/logs/output.log": "listening\n", "n2/data/etc/conf": "x"} {
		if got[name] == nil || got[name].String() != want {
			t.Errorf("%s: got %v, want %q", name, got[name], want)
		}
	}
}
