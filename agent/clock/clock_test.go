//go:build linux

package clock

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// patience bounds every wait in these tests; nothing takes that long unless it is broken.
const patience = 5 * time.Second

// until calls done until it is true, and fails the test if that takes too long.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func set(t testing.TB, c *Clock, s fallacy.Skew) {
	t.Helper()
	if err := c.Set(s); err != nil {
		t.Fatal(err)
	}
}

// wantOffset fails the test unless the wall clock in s departs from the machine's by exactly offset.
func wantOffset(t testing.TB, s sample, offset time.Duration) {
	t.Helper()
	if real := s.wall - int64(offset); real < s.before || real > s.after {
		t.Errorf("got a clock off by %v, want %v", s.skew(), offset)
	}
}

func TestStep(t *testing.T) {
	c := newClock(t)
	p := launch(t, c, child("ask"))
	first := p.ask()
	year := 365 * 24 * time.Hour
	for _, offset := range []time.Duration{0, time.Hour, -time.Hour, 0, 1, 999_999_999, -1, -999_999_999, 20 * year, -80 * year, 0} {
		set(t, c, fallacy.Skew{Offset: offset})
		s := p.ask()
		wantOffset(t, s, offset)
		mono, real := s.mono-first.mono, s.rawMono-first.rawMono
		if diff := time.Duration(mono - real).Abs(); diff > 100*time.Millisecond {
			t.Errorf("offset %v: %v passed on the monotonic clock, by the kernel's %v", offset, time.Duration(mono), time.Duration(real))
		}
	}
}

// What one process has, no other one has.
func TestNobodyElseIsSkewed(t *testing.T) {
	c, other := newClock(t), newClock(t)
	set(t, c, fallacy.Skew{Offset: time.Hour})
	set(t, other, fallacy.Skew{Offset: -time.Hour})
	wantOffset(t, launch(t, nil, child("ask")).ask(), 0)
	wantOffset(t, launch(t, c, child("ask")).ask(), time.Hour)
	wantOffset(t, launch(t, other, child("ask")).ask(), -time.Hour)
	wantOffset(t, takeSample(), 0)
}

func TestDrift(t *testing.T) {
	for _, ppm := range []float64{0.5e6, 1e6, -0.5e6, -1e6, -2e6, 200, 1e9} {
		t.Run(fmt.Sprint(ppm), func(t *testing.T) {
			c := newClock(t)
			p := launch(t, c, child("ask"))
			start := time.Now().UnixNano()
			set(t, c, fallacy.Skew{Offset: time.Minute, Drift: ppm})
			inForce := time.Now().UnixNano()
			var s sample
			until(t, "20 ms to drift", func() bool { s = p.ask(); return s.before > inForce+20e6 })
			// The skew is 1 min + ppm·(real − base), with real and base known to be between two readings each.
			a := float64(s.wall-s.after) - 60e9
			b := float64(s.wall-s.before) - 60e9
			low := ppm * 1e-6 * float64(s.before-inForce)
			high := ppm * 1e-6 * float64(s.after-start)
			if low > high {
				low, high = ppm*1e-6*float64(s.after-start), ppm*1e-6*float64(s.before-inForce)
			}
			if b < low-1000 || a > high+1000 {
				t.Errorf("got a drift of between %v and %v, want one between %v and %v", a, b, low, high)
			}
			set(t, c, fallacy.Skew{})
			wantOffset(t, p.ask(), 0)
		})
	}
}

func TestStrobe(t *testing.T) {
	const turn = 3 * time.Millisecond
	c := newClock(t)
	p := launch(t, c, child("ask"))
	set(t, c, fallacy.Skew{Offset: time.Hour, Strobe: turn})
	seen, changes, last := map[bool]int{}, 0, false
	until(t, "6 turns", func() bool {
		s := p.ask()
		there := s.skew() > 30*time.Minute
		if there {
			wantOffset(t, s, time.Hour)
		} else {
			wantOffset(t, s, 0)
		}
		// By the contract alone, and only if no turn ended between the two readings of the machine's clock.
		turnOf := func(real int64) int64 { return (real - c.want.base) / int64(turn) }
		if n := turnOf(s.before); n == turnOf(s.after) && there != (n%2 == 0) {
			t.Errorf("in turn %d the offset is there: %v", n, there)
		}
		if there != last {
			changes, last = changes+1, there
		}
		seen[there]++
		return changes >= 6 || t.Failed()
	})
	set(t, c, fallacy.Skew{})
	for range 20 {
		wantOffset(t, p.ask(), 0)
	}
}

func TestFreeze(t *testing.T) {
	c := newClock(t)
	p := launch(t, c, child("ask"))
	frozen := fallacy.Skew{Offset: -time.Minute, Frozen: true}
	before := time.Now().UnixNano()
	set(t, c, frozen)
	after := time.Now().UnixNano()
	first := p.ask()
	if at := first.wall + int64(time.Minute); at < before || at > after {
		t.Errorf("frozen at %v, want a minute before %v", time.Unix(0, first.wall), time.Unix(0, before))
	}
	until(t, "10 ms", func() bool {
		set(t, c, frozen) // again, which must not thaw it
		s := p.ask()
		if s.wall != first.wall {
			t.Fatalf("the frozen clock went from %d to %d", first.wall, s.wall)
		}
		return s.mono-first.mono > 10e6 // the monotonic clock is not frozen
	})
	set(t, c, fallacy.Skew{})
	wantOffset(t, p.ask(), 0)
}

func TestSetRefuses(t *testing.T) {
	c := newClock(t)
	for _, s := range []fallacy.Skew{{Drift: math.NaN()}, {Drift: math.Inf(1)}, {Drift: 2e9}, {Strobe: -1}} {
		if err := c.Set(s); err == nil {
			t.Errorf("Set(%+v): no error", s)
		}
	}
}

func TestRestartKeepsSkew(t *testing.T) {
	c := newClock(t)
	p := launch(t, c, child("ask"))
	set(t, c, fallacy.Skew{Offset: time.Hour})
	wantOffset(t, p.ask(), time.Hour)
	p.end()
	p = launch(t, c, child("ask"))
	if r, err := c.Read(); err == nil && r.Reads > 0 && r.Skew != time.Hour {
		t.Errorf("after the restart: got %+v", r)
	}
	wantOffset(t, p.ask(), time.Hour)
	r, err := c.Read()
	if err != nil || r.Reads == 0 || r.Skew != time.Hour {
		t.Errorf("got %+v, %v, want a reading off by 1h", r, err)
	}
	if age := time.Since(r.At); age < 0 || age > patience {
		t.Errorf("the last reading was %v ago", age)
	}
}

// After the death of the program that set a skew, another one heals by the file.
func TestOpen(t *testing.T) {
	c := newClock(t)
	p := launch(t, c, child("ask"))
	skew := fallacy.Skew{Offset: time.Hour, Drift: 0.25, Strobe: time.Hour}
	set(t, c, skew)
	again, err := Open(c.path)
	if err != nil {
		t.Fatal(err)
	}
	if got := again.want.skew(); got != skew {
		t.Errorf("got %+v from the page, want %+v", got, skew)
	}
	set(t, again, fallacy.Skew{})
	wantOffset(t, p.ask(), 0)
	verify(t, again, p)
	for name, content := range map[string]string{"empty": "", "zeros": strings.Repeat("\x00", os.Getpagesize())} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := Open(path); err == nil {
			t.Errorf("%s: opened as %+v", name, c)
		}
	}
}

// A new Clock on the page of one that was left behind starts with the right time, for the old processes too.
func TestNewHealsTheOneBefore(t *testing.T) {
	c := newClock(t)
	p := launch(t, c, child("ask"))
	set(t, c, fallacy.Skew{Offset: time.Hour})
	wantOffset(t, p.ask(), time.Hour)
	next, err := New(c.path)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	wantOffset(t, p.ask(), 0)
	set(t, next, fallacy.Skew{Offset: time.Minute})
	wantOffset(t, p.ask(), 0)
	wantOffset(t, launch(t, next, child("ask")).ask(), time.Minute)
}

func TestClose(t *testing.T) {
	c := newClock(t)
	p := launch(t, c, child("ask"))
	set(t, c, fallacy.Skew{Frozen: true})
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantOffset(t, p.ask(), 0)
	if _, err := os.Stat(c.path); err == nil {
		t.Error("the page's file is still there")
	}
	if _, err := c.Read(); err == nil {
		t.Error("Read after Close: no error")
	}
	if c.Set(fallacy.Skew{}) == nil || c.Verify(t.Context()) == nil || c.Start(child("ask")) == nil {
		t.Error("Set, Verify or Start after Close: no error")
	}
}

// Eight threads read as fast as they can, profiled, while the skew changes as fast as it can.
func TestHotThreads(t *testing.T) {
	const a, b = 3 * time.Hour, -11*time.Hour - time.Nanosecond
	c := newClock(t)
	set(t, c, fallacy.Skew{Offset: a})
	p := launch(t, c, child("hot", fmt.Sprint(int64(a)), fmt.Sprint(int64(b))))
	flips := 0
	until(t, "readings", func() bool {
		for range 100 {
			set(t, c, fallacy.Skew{Offset: b})
			set(t, c, fallacy.Skew{Offset: a})
			flips += 2
		}
		r, err := c.Read()
		if err != nil {
			t.Fatal(err)
		}
		return r.Reads > 20_000 && flips > 20_000
	})
	said := p.end()
	var as, bs int
	if _, err := fmt.Sscanf(said, "saw %d %d", &as, &bs); err != nil || as == 0 || bs == 0 {
		t.Errorf("the target said %q, want that it saw both skews", said)
	}
	if r, err := c.Read(); err != nil || r.Reads < uint64(as+bs) {
		t.Errorf("the target read its clock %d times at least, got %+v, %v", as+bs, r, err)
	}
	r, _ := c.Read()
	t.Logf("%d changes; the target saw %d and %d in %d readings", flips, as, bs, r.Reads)
}
