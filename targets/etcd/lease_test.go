package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/targets/targettest"
)

// A key is there while its lease is kept alive, goes when it is not, or when it is
// revoked, and does not come back.
func TestLeases(t *testing.T) {
	c := start(t, 1)
	conn := connect(t, c.Nodes[0].Public["client"])
	want := func(leases ...int) {
		t.Helper()
		if got, err := conn.Leased(t.Context()); err != nil || !slices.Equal(got, leases) {
			t.Fatalf("got the keys of %v, %v, want those of %v", got, err, leases)
		}
	}
	for _, lease := range []int{0, 1} {
		if ttl, err := conn.Grant(t.Context(), lease, 900*time.Millisecond); ttl != time.Second || err != nil {
			t.Fatalf("got a lease of %v, %v, want one of a second", ttl, err)
		}
	}
	if _, err := conn.Grant(t.Context(), 1, time.Second); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("a lease that there is: got %v, want proof that nothing happened", err)
	}
	want(0, 1)
	if err := conn.Revoke(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	want(0)
	if err := conn.Revoke(t.Context(), 1); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("a lease that is gone: got %v, want proof that nothing happened", err)
	}
	began, tick := time.Now(), time.NewTicker(300*time.Millisecond)
	defer tick.Stop()
	for time.Since(began) < 2500*time.Millisecond {
		<-tick.C
		if ttl, err := conn.KeepAlive(t.Context(), 0); ttl != time.Second || err != nil {
			t.Fatalf("kept alive for %v, %v, want a second", ttl, err)
		}
		want(0)
	}
	targettest.Eventually(t, "the end of a lease", func(ctx context.Context) error {
		left, err := conn.Leased(ctx)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("the keys of %v are there", left)
		}
		return err
	})
	if ttl, err := conn.KeepAlive(t.Context(), 0); ttl != 0 || err != nil {
		t.Errorf("a lease that is over is kept alive for %v, %v", ttl, err)
	}
	want()
}

// A keep-alive that was not sent has not happened; one that was may have.
func TestKeepAliveInDoubt(t *testing.T) {
	mute := newMute(t)
	c := connect(t, mute.addr)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-mute.asked
		cancel()
	}()
	if _, err := c.KeepAlive(ctx, 1); err == nil || errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("sent: got %v, want no proof", err)
	}
	nowhere := connect(t, "127.0.0.1:1")
	if _, err := nowhere.KeepAlive(t.Context(), 1); !errors.Is(err, fallacy.ErrFailed) {
		t.Errorf("never sent: got %v, want proof that nothing happened", err)
	}
}
