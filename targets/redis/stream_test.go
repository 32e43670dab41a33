package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/targets/targettest"
)

func TestOffsetsAreInTheOrderOfIDs(t *testing.T) {
	last := -1
	for _, id := range []string{"0-1", "0-2", "0-999999", "1-0", "1764335471123-0", "1764335471123-3", "1764335471124-0"} {
		offset, err := offsetOf(id)
		if err != nil || offset <= last || idOf(offset) != id {
			t.Errorf("%s is %d, after %d, and back %s: %v", id, offset, last, idOf(offset), err)
		}
		last = offset
	}
	for _, id := range []string{"", "5", "5-", "-5", "5-1000000", "9223372036855-0", "5--1", "x-1", "1-x"} {
		if offset, err := offsetOf(id); err == nil {
			t.Errorf("%q is %d, want an error", id, offset)
		}
	}
}

// In every topology what is sent is read again, in order, from wherever one asks.
func TestStreams(t *testing.T) {
	for topology, nodes := range map[string]int{single: 1, sentinel: 5, clustered: 3} {
		t.Run(topology, func(t *testing.T) {
			t.Parallel()
			c := start(t, topology, nodes)
			one, other := client(t, c, 0), client(t, c, nodes-1)
			var sent [][2]int
			for i := range atOnce + 5 {
				targettest.Eventually(t, "a send", func(ctx context.Context) error {
					offset, err := one.Send(ctx, "s1", i)
					if err == nil {
						sent = append(sent, [2]int{offset, i})
					}
					return err
				})
			}
			read := func(after int) (got [][2]int) {
				targettest.Eventually(t, "a read", func(ctx context.Context) (err error) {
					got, err = other.Records(ctx, "s1", after)
					return err
				})
				return got
			}
			if got := read(0); !slices.Equal(got, sent[:atOnce]) {
				t.Errorf("from the beginning: got %v, want %v", got, sent[:atOnce])
			}
			if got := read(sent[atOnce-1][0]); !slices.Equal(got, sent[atOnce:]) {
				t.Errorf("the rest: got %v, want %v", got, sent[atOnce:])
			}
			if got := read(sent[len(sent)-1][0]); len(got) > 0 {
				t.Errorf("at the end: got %v", got)
			}
		})
	}
}

// A clock that goes back does not make the offsets of a server go back, not even
// over a restart.
func TestStreamGoesOnWhenTheClockGoesBack(t *testing.T) {
	c := start(t, single, 1)
	conn := client(t, c, 0)
	last := 0
	send := func(ctx context.Context) error {
		offset, err := conn.Send(ctx, "s", 1)
		switch {
		case err == nil && offset <= last:
			return fmt.Errorf("offset %d comes after %d", offset, last)
		case err == nil:
			last = offset
		}
		return err
	}
	if err := send(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := last
	targettest.Impose(t, c, "clock", map[string]fallacy.Condition{"n1": {Clock: fallacy.Skew{Offset: -60e9}}})
	for range 3 {
		if err := send(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if idOf(last)[:10] != idOf(before)[:10] {
		t.Errorf("IDs went from %s to %s: the clock that went back did not show", idOf(before), idOf(last))
	}
	targettest.Impose(t, c, "kill", map[string]fallacy.Condition{"n1": {Process: fallacy.Killed}})
	targettest.Impose(t, c, "kill", nil)
	targettest.Eventually(t, "a send after the restart", func(ctx context.Context) error {
		err := send(ctx)
		if err != nil && !errors.Is(err, fallacy.ErrFailed) {
			t.Fatal(err)
		}
		return err
	})
}

// Every topology says of every workload what is promised, and where.
func TestClaimsHaveSources(t *testing.T) {
	for _, top := range topologies() {
		made, err := Kind.New(fallacy.TargetOptions{Nodes: max(top.least, 1), Topology: top.name})
		if err != nil {
			t.Fatal(err)
		}
		general, ofStream := made.(fallacy.Claims).Claims("set"), made.(fallacy.Claims).Claims("stream")
		if len(general) == 0 || top.name != independent && len(ofStream) <= len(general) {
			t.Errorf("%s: claims are %v, of streams %v", top.name, general, ofStream)
		}
		for _, claim := range append(general, ofStream...) {
			if !strings.Contains(claim, ": https://") {
				t.Errorf("%s: %q says not where", top.name, claim)
			}
		}
	}
}
