package generator

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Sleep is a pause: no op for d, after which it is exhausted. It begins when it
// is first asked while somebody could act, so that after an op of a nemesis it
// begins when that op has completed:
//
//	generator.OnNemesis("partition", generator.Cycle(generator.Seq(
//		generator.Sleep(10*time.Second), generator.Op("inject", fallacy.Nil()),
//		generator.Sleep(10*time.Second), generator.Op("heal", fallacy.Nil()))))
//
// It occupies nobody: what is beside it, in an [Any] say, goes on.
func Sleep(d time.Duration) fallacy.Generator { return &sleep{d: d} }

type sleep struct {
	d     time.Duration
	begun bool
	until time.Duration
}

func (s *sleep) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	switch {
	case s.d <= 0 || s.begun && now.Time >= s.until || nobody(now):
		return nil, nil
	case s.begun || !anyoneFree(now):
		return nil, s
	}
	return nil, &sleep{s.d, true, now.Time + s.d}
}

func (s *sleep) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return s }
func (s *sleep) deaf() bool                                          { return true }
func (s *sleep) pause() (time.Duration, bool)                        { return s.until, s.begun }

// pause tells whether all that g will do is to wait until some time, so that
// what follows g can be asked now what it will do then. The caller then knows
// when to come back.
func pause(g fallacy.Generator) (until time.Duration, ok bool) {
	if p, is := g.(interface{ pause() (time.Duration, bool) }); is {
		return p.pause()
	}
	return 0, false
}

// later returns the moment as it will be at t if nothing happens until then.
func later(now fallacy.Moment, t time.Duration) fallacy.Moment {
	now.Time = max(now.Time, t)
	return now
}
