package cmd

import (
	"context"
	"strconv"
	"strings"

	"github.com/fallacy-dev/fallacy/conduct"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/results"
)

// run runs the trial and judges it. It returns the run and its directory. The
// error is trouble of fallacy's own; what was recorded until then is kept.
func (t *trial) run(ctx context.Context, p *progress) (results.Run, string, error) {
	say := func(text string) { p.say("%s", text) }
	return conduct.Run(ctx, conduct.Trial{
		Test:  t.test,
		Nodes: t.names,
		Dial: func(ctx context.Context, ports []string) (remote.Dialer, error) {
			return t.dial(ctx, ports, say)
		},
		About:    t.about(),
		Runs:     t.runs,
		Lenient:  t.optional,
		Checkers: t.extra,
		Watch:    conduct.Watch{Say: say, Begin: p.start, Note: p.note, End: p.stop},
	})
}

// about is what the record of the run says of how it came to be.
func (t *trial) about() results.Run {
	run := results.Run{Target: t.kind.Name, Command: t.command(), Version: version(), Remote: t.on, Bug: t.bug}
	for _, b := range t.kind.Bugs {
		if b.Name == t.bug {
			run.BugDoc, _, _ = strings.Cut(b.Doc, "\n")
		}
	}
	return run
}

// command is how to run this again.
func (t *trial) command() []string {
	was, argv := defaultRequest(), []string{"fallacy", "run", t.typed + "/" + t.test.Workload.Name}
	add := func(flag, value string, same bool) {
		switch {
		case same:
		case value == "":
			argv = append(argv, flag)
		default:
			argv = append(argv, flag, value)
		}
	}
	add("--bug", t.bug, t.bug == "")
	add("--topology", t.topology, t.topology == "")
	t.place.command(add)
	add("--faults", t.faults, t.plan != "" || t.faults == was.faults && t.bug == "")
	add("--plan", t.plan, t.plan == "")
	add("--nodes", t.nodes, t.nodes == was.nodes)
	add("--concurrency", t.concurrency, t.concurrency == was.concurrency)
	add("--rate", strconv.FormatFloat(t.rate, 'g', -1, 64), t.rate == was.rate)
	add("--time", t.time.String(), t.time == was.time)
	add("--op-timeout", t.opTimeout.String(), t.opTimeout == was.opTimeout)
	add("--recovery", t.recovery.String(), t.recovery == was.recovery)
	add("--quiet-time", t.quiet.String(), t.quiet == was.quiet || t.plan != "")
	add("--fault-time", t.fault.String(), t.fault == was.fault || t.plan != "")
	return append(argv, "--seed", strconv.FormatUint(t.seed, 10))
}
