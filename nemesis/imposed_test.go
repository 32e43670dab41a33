package nemesis

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// down is a cluster all of whose processes other faults have ended, for a while.
type down struct {
	*cluster
	until time.Time
}

func (d down) Verify(ctx context.Context, fault string) (fallacy.Value, error) {
	if time.Now().Before(d.until) {
		return fallacy.Nil(), errors.New("no process is running")
	}
	return d.cluster.Verify(ctx, fault)
}

// TestInjectionWaits for something to act on, for a bounded time.
func TestInjectionWaits(t *testing.T) {
	for _, name := range []string{"kill", "pause:one", "clock"} {
		for _, test := range []struct{ down, waits, most time.Duration }{
			{0, 0, 0},
			{time.Second, time.Second, time.Second + effectEvery},
			{time.Hour, effectPatience, effectPatience},
		} {
			synctest.Test(t, func(t *testing.T) {
				n, err := New(name, Schedule{})
				if err != nil {
					t.Fatal(err)
				}
				control, c := clusterOf(5)
				begun := time.Now()
				c.Control = down{control, begun.Add(test.down)}
				damage, err := n.Fault.Inject(t.Context(), fallacy.NewChance(1).Rand(), c)
				if err != nil || damage.IsNil() || !harmful(control.imposed[name]) {
					t.Errorf("%s, down for %v: got %v, %v", name, test.down, damage, err)
				}
				if took := time.Since(begun); took < test.waits || took > test.most {
					t.Errorf("%s, down for %v: took %v, want %v to %v", name, test.down, took, test.waits, test.most)
				}
				_, err = n.Fault.Verify(t.Context(), c)
				if missed := test.down == time.Hour; (err != nil) != missed {
					t.Errorf("%s, down for %v: verified as %v", name, test.down, err)
				}
			})
		}
	}
}
