package redis

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/targets/targettest"
)

// Keys are there as long as they are kept, on whichever node one asks; and a clock
// that goes forward ends them before their time.
func TestLeases(t *testing.T) {
	for topology, nodes := range map[string]int{single: 1, clustered: 3} {
		t.Run(topology, func(t *testing.T) {
			t.Parallel()
			c := start(t, topology, nodes)
			var conns []*Conn
			for i := range nodes {
				conns = append(conns, client(t, c, i))
			}
			want := func(leases ...int) {
				t.Helper()
				for i, conn := range conns {
					got, err := conn.Leased(t.Context())
					if slices.Sort(got); err != nil || !slices.Equal(got, leases) {
						t.Errorf("by %s: got %v, %v, want %v", c.Nodes[i].Name, got, err, leases)
					}
				}
			}
			first, last := conns[0], conns[nodes-1]
			for lease, ttl := range []time.Duration{time.Minute, time.Minute, 300 * time.Millisecond} {
				if granted, err := first.Grant(t.Context(), lease, ttl); granted != ttl || err != nil {
					t.Fatalf("got %v, %v, want %v", granted, err, ttl)
				}
			}
			if err := last.Revoke(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			targettest.Eventually(t, "the end of 300 ms", func(ctx context.Context) error {
				if left, err := last.Leased(ctx); err != nil || len(left) != 1 {
					return fmt.Errorf("%v, %v", left, err)
				}
				return nil
			})
			want(0)
			for lease, ttl := range []time.Duration{time.Minute, 0, 0} {
				if granted, err := last.KeepAlive(t.Context(), lease); granted != ttl || err != nil {
					t.Errorf("lease %d: kept alive for %v, %v, want %v", lease, granted, err, ttl)
				}
			}
			want(0)
			forward := make(map[string]fallacy.Condition)
			for _, name := range c.Names() {
				forward[name] = fallacy.Condition{Clock: fallacy.Skew{Offset: 2 * time.Minute}}
			}
			targettest.Impose(t, c, "clock", forward)
			want()
		})
	}
}
