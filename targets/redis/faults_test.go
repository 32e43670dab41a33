package redis

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/targets/targettest"
)

func client(t *testing.T, c fallacy.Cluster, node int) *Conn {
	t.Helper()
	conn, err := c.Target.Open(t.Context(), c.Nodes[node])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn.(*Conn)
}

// primaryBut returns the primary, if there is exactly one besides a node.
func primaryBut(ctx context.Context, c fallacy.Cluster, but string) (string, error) {
	all, err := c.Target.(fallacy.Primaries).Primaries(ctx, c.Nodes)
	all = slices.DeleteFunc(all, func(name string) bool { return name == but })
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("primaries are %v", all)
	}
	if err != nil {
		return "", err
	}
	return all[0], nil
}

// What a server alone has acknowledged it still has after it was killed.
func TestKillOfOne(t *testing.T) {
	c := start(t, single, 1)
	version := c.Target.(fallacy.Versions).Version
	if v, err := version(t.Context(), c.Nodes[0]); err != nil || !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(v) {
		t.Errorf("the server says it is %q, %v", v, err)
	}
	conn := client(t, c, 0)
	if err := conn.Write(t.Context(), "x", 1); err != nil {
		t.Fatal(err)
	}
	targettest.Impose(t, c, "kill", map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}})
	if err := conn.Write(t.Context(), "x", 2); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("a write to a server that is down: %v, want proof that nothing happened", err)
	}
	if v, err := version(t.Context(), c.Nodes[0]); err == nil {
		t.Errorf("a server that is down says it is %q", v)
	}
	targettest.Impose(t, c, "kill", nil)
	targettest.Eventually(t, "a read after the restart", func(ctx context.Context) error {
		value, _, err := conn.Read(ctx, "x")
		if err == nil && value != 1 {
			t.Fatalf("x is %d, want 1", value)
		}
		return err
	})
	seen, err := conn.CompareAndSet(t.Context(), "x", 5, 6)
	if !seen.Equal(fallacy.Int(1)) || !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("a cas that does not fit: got %v, %v", seen, err)
	}
	if _, err := conn.CompareAndSet(t.Context(), "x", 1, 6); err != nil {
		t.Error(err)
	}
}

// A primary that is cut off goes on acknowledging writes while Sentinels make
// another one; they are lost when it is back.
func TestSentinelLosesWhatWasAcknowledged(t *testing.T) {
	c := start(t, sentinel, 5)
	if primary, err := primaryBut(t.Context(), c, ""); primary != "n1" || err != nil {
		t.Fatalf("the primary is %s, %v, want n1", primary, err)
	}
	old, other := client(t, c, 0), client(t, c, 1)
	targettest.Eventually(t, "a write to n1", func(ctx context.Context) error { return old.Write(ctx, "x", 1) })
	targettest.Eventually(t, "n2 finds the primary", func(ctx context.Context) error {
		value, _, err := other.Read(ctx, "x")
		if err == nil && value != 1 {
			err = fmt.Errorf("x is %d", value)
		}
		return err
	})
	targettest.Impose(t, c, "partition", targettest.Isolated(c, "n1"))
	targettest.Eventually(t, "another primary", func(ctx context.Context) error {
		_, err := primaryBut(ctx, c, "n1")
		return err
	})
	if err := old.Write(t.Context(), "x", 2); err != nil {
		t.Fatalf("n1 knows nothing of the other primary: %v", err)
	}
	targettest.Impose(t, c, "partition", nil)
	targettest.Eventually(t, "one primary", func(ctx context.Context) error {
		_, err := primaryBut(ctx, c, "")
		return err
	})
	targettest.Eventually(t, "the end of what was acknowledged", func(ctx context.Context) error {
		value, _, err := client(t, c, 0).Read(ctx, "x")
		if err == nil && value != 1 {
			err = fmt.Errorf("x is %d", value)
		}
		return err
	})
}
