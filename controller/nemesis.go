package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// What a nemesis is asked to do: an op's F.
const (
	inject = "inject"
	heal   = "heal"
)

// faultTimeout bounds one injection, verification or heal, so that a node that
// hangs does not make a run hang.
const faultTimeout = 30 * time.Second

// nemesis performs the ops of one nemesis.
type nemesis struct {
	fallacy.Nemesis
	cluster fallacy.Cluster
	chance  fallacy.Chance
	done    *completions
	in      chan fallacy.Op
}

// run performs ops until in is closed.
func (n *nemesis) run(ctx context.Context) {
	// An interrupted run still has to heal, so only the timeout ends a fault's work.
	ctx = context.WithoutCancel(ctx)
	for injected := 0; ; {
		op, more := <-n.in
		if !more {
			return
		}
		value, err := n.perform(ctx, op.F, injected)
		if op.F == inject {
			injected++
		}
		op.Type, op.Value = fallacy.Info, value
		if err != nil {
			op.Error = err.Error()
		}
		n.done.put(completion{op: op})
	}
}

func (n *nemesis) perform(ctx context.Context, f string, nth int) (value fallacy.Value, err error) {
	ctx, cancel := context.WithTimeout(ctx, faultTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(err, fmt.Errorf("the fault panicked: %v", p))
		}
	}()
	switch f {
	case inject:
		damage, err := n.Fault.Inject(ctx, n.chance.Nth(nth).Rand(), n.cluster)
		if err != nil {
			return fallacy.Object(fallacy.Field{Name: "damage", Value: damage}), fmt.Errorf("inject: %w", err)
		}
		evidence, err := n.Fault.Verify(ctx, n.cluster)
		if err != nil {
			err = fmt.Errorf("verify: %w", err)
		}
		return fallacy.Object(
			fallacy.Field{Name: "damage", Value: damage},
			fallacy.Field{Name: "evidence", Value: evidence},
		), err
	case heal:
		if err := n.Fault.Heal(ctx, n.cluster); err != nil {
			return fallacy.Nil(), fmt.Errorf("heal: %w", err)
		}
		return fallacy.Nil(), nil
	}
	return fallacy.Nil(), fmt.Errorf("a nemesis does %q and %q, not %q", inject, heal, f)
}

// healOnce is the generator of the final heal: one op, whenever the nemesis is idle.
type healOnce struct{}

func (healOnce) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if len(now.Idle) == 0 {
		return nil, healOnce{}
	}
	return &fallacy.Op{Time: now.Time, Process: fallacy.NemesisProcess, Nemesis: now.Idle[0], F: heal}, nil
}

func (g healOnce) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return g }
