package agent_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
	"github.com/fallacy-dev/fallacy/internal/require"
)

// A script that becomes another program keeps its process, and the supervisor does
// not take the stop in which that one is given its clock for its end.
func TestClockOfWhatAScriptBecomes(t *testing.T) {
	c, g, _ := serve(t, "n1", time.Minute)
	if g.Clock != "" {
		require.Absent(t, "clock", g.Clock)
	}
	perl := require.Program(t, "perl", "perl")
	script := fmt.Sprintf(`exec %s -e '$| = 1; while (1) { print time, "\n"; select undef, undef, undef, 0.02 }'`, perl)
	if _, err := c.Start(t.Context(), fallacy.Process{Argv: []string{"/bin/sh", "-c", script}}); err != nil {
		t.Fatal(err)
	}
	ahead := func(want time.Duration) {
		t.Helper()
		eventually(t, func() error {
			var out bytes.Buffer
			if err := c.Fetch(t.Context(), "logs/output.log", &out); err != nil {
				return err
			}
			lines := strings.Fields(out.String())
			var seconds int64
			if len(lines) < 2 {
				return fmt.Errorf("the output is %q", out.String())
			}
			if _, err := fmt.Sscan(lines[len(lines)-2], &seconds); err != nil {
				return err
			}
			if got := time.Until(time.Unix(seconds, 0)); (got - want).Abs() > 5*time.Second {
				return fmt.Errorf("the clock is %v ahead, want %v", got, want)
			}
			return nil
		})
	}
	ahead(0)
	for i, skew := range []time.Duration{time.Hour, 0, -time.Hour, 0} {
		if err := c.Apply(t.Context(), agent.State{Seq: uint64(i), Clock: fallacy.Skew{Offset: skew}}); err != nil {
			t.Fatal(err)
		}
		ahead(skew)
		if r := report(t, c, agent.Look{Process: true, Clock: true}); r.ClockErr != "" || r.ProcessErr != "" || r.Skew != skew {
			t.Errorf("skewed by %v: %+v", skew, r)
		}
	}
	if r := report(t, c, agent.Look{}); r.Process.Starts != 1 || len(r.Process.Exits) > 0 {
		t.Errorf("the process was started %d times, and ended: %v", r.Process.Starts, r.Process.Exits)
	}
}
