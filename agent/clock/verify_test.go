//go:build linux

package clock

import (
	"context"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// verify asks the target once and verifies.
func verify(t testing.TB, c *Clock, p *target) {
	t.Helper()
	p.ask()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Verify(ctx); err != nil {
		t.Error(err)
	}
}

// wantUnverified fails the test unless Verify, given a moment, says no in these words.
func wantUnverified(t testing.TB, c *Clock, words ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := c.Verify(ctx)
	if err == nil {
		t.Errorf("verified, want an error with %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got error %q, want %q in it", err, word)
		}
	}
}

func TestVerify(t *testing.T) {
	c := newClock(t)
	p := launch(t, c, child("ask"))
	skews := []fallacy.Skew{
		{Offset: time.Hour}, {Offset: -time.Hour}, {Drift: 500}, {Offset: time.Hour, Drift: -1e6},
		{Offset: time.Second, Strobe: time.Millisecond}, {Frozen: true}, {Offset: -time.Minute, Frozen: true}, {},
	}
	for _, s := range skews {
		p.ask()
		set(t, c, s)
		wantUnverified(t, c, "wanted "+describe(s), "no reading") // not before it has read its clock after Set
		verify(t, c, p)
		set(t, c, s)
		wantUnverified(t, c, "no reading") // nor after Set of the same
		verify(t, c, p)
	}
}

func TestVerifyWaits(t *testing.T) {
	c := newClock(t)
	p := launch(t, c, child("ask"))
	set(t, c, fallacy.Skew{Offset: time.Hour})
	verified := make(chan error)
	go func() { verified <- c.Verify(t.Context()) }()
	p.ask()
	if err := <-verified; err != nil {
		t.Error(err)
	}
}

func TestVerifyNoticesTampering(t *testing.T) {
	c := newClock(t)
	p := launch(t, c, child("ask"))
	skew := fallacy.Skew{Offset: time.Hour}
	right, _ := recordOf(fallacy.Skew{}, time.Now())
	bugs := map[string]func(){
		"another skew":    func() { c.page.publish(right) },
		"half a skew":     func() { atomic.StoreInt64(&c.page.records[c.page.seq&1].offset, 5) },
		"no clocks":       func() { atomic.StoreUint32(&c.page.mask, 0) },
		"not a page":      func() { atomic.StoreUint64(&c.page.magic, 0) },
		"a false reading": nil,
	}
	for name, plant := range bugs {
		t.Run(name, func(t *testing.T) {
			set(t, c, skew)
			p.ask()
			if plant != nil {
				plant()
				p.ask()
				wantUnverified(t, c, "wanted", "got")
			} else {
				atomic.StoreInt64(&c.page.delta, int64(time.Hour+2*tolerance))
				wantUnverified(t, c, "wanted offset 1h0m0s, that is 1h0m0s", "got 1h0m0.002s")
			}
			set(t, c, skew) // repairs it
			verify(t, c, p)
			wantOffset(t, p.ask(), time.Hour)
		})
	}
}

func TestVerifyNoticesWhoDoesNotRead(t *testing.T) {
	t.Run("nobody started", func(t *testing.T) {
		wantUnverified(t, newClock(t), "has started no process")
	})
	t.Run("idle", func(t *testing.T) {
		c := newClock(t)
		launch(t, c, exec.Command("cat")) // Go programs read their clock now and then for no visible reason
		set(t, c, fallacy.Skew{Offset: time.Hour})
		wantUnverified(t, c, "wanted offset 1h0m0s", "no reading of the clock by the process")
		if r, err := c.Read(); err != nil || r.Reads != 0 {
			t.Errorf("got %+v, %v for a process that never read its clock", r, err)
		}
	})
	t.Run("gone", func(t *testing.T) {
		c := newClock(t)
		p := launch(t, c, child("ask"))
		p.ask()
		p.end()
		set(t, c, fallacy.Skew{Offset: time.Hour})
		wantUnverified(t, c, "is gone")
	})
	t.Run("only the one before", func(t *testing.T) {
		c := newClock(t)
		old := launch(t, c, child("ask"))
		launch(t, c, exec.Command("cat"))
		set(t, c, fallacy.Skew{Offset: time.Hour})
		wantOffset(t, old.ask(), time.Hour)
		wantUnverified(t, c, "no reading of the clock by the process")
		if r, err := c.Read(); err != nil || r.Reads != 0 {
			t.Errorf("got %+v, %v for a process that never read its clock", r, err)
		}
	})
}
