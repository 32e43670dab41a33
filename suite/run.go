package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Runner does a suite's tests.
type Runner struct {
	// Do runs one test and judges it. An error says that it could not be run:
	// fallacy's own trouble, after which it is tried again.
	Do func(ctx context.Context, c Case) (Result, error)

	Note     func(Outcome) error // keeps an outcome; its error ends the suite
	Say      func(text string)   // tells people how it goes
	Slots    int                 // that tests share
	Retries  int
	Budget   time.Duration // after which none is started; 0: there is none
	FailFast bool          // start none after the first that is not as expected
}

// ErrBudget is why a suite ended early: its time is used up.
var ErrBudget = errors.New("the suite's budget of time is used up")

// ErrFailFast is why a suite ended early: a test was not as expected.
var ErrFailFast = errors.New("a test was not as expected")

// Run does the cases, as many at a time as there are slots for. It returns nil
// once all are done, or why the rest was left undone. What is running when ctx
// ends is told to end, and not kept: it will be done again.
func (r *Runner) Run(ctx context.Context, cases []Case) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	starting, halt := context.WithCancelCause(ctx) // ends before what runs does
	defer halt(nil)
	if r.Budget > 0 {
		timer := time.AfterFunc(r.Budget, func() { halt(ErrBudget) })
		defer timer.Stop()
	}
	slots := semaphore.NewWeighted(int64(max(1, r.Slots)))
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for _, c := range cases {
		weight := int64(max(1, c.Slots))
		if slots.Acquire(starting, weight) != nil || starting.Err() != nil {
			break
		}
		wg.Go(func() {
			defer slots.Release(weight)
			o := r.attempt(ctx, c)
			if ctx.Err() != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			if err := r.Note(o); err != nil {
				stop(fmt.Errorf("keep the outcome of %s: %w", c.ID(), err))
			}
			r.Say(fmt.Sprintf("%d/%d %s", done, len(cases), o.Line()))
			if r.FailFast && o.Status() != AsExpected {
				halt(fmt.Errorf("%w: %s", ErrFailFast, o.ID()))
			}
		})
	}
	wg.Wait()
	if done == len(cases) && ctx.Err() == nil {
		return nil
	}
	return context.Cause(starting)
}

// attempt does a test, again if it could not be run.
func (r *Runner) attempt(ctx context.Context, c Case) Outcome {
	o := Outcome{Case: c, Started: time.Now().UTC()}
	for o.Attempts = 1; ; o.Attempts++ {
		began := time.Now()
		result, err := r.Do(ctx, c)
		o.Result, o.Trouble, o.Took = result, "", time.Since(began)
		if err == nil {
			return o
		}
		o.Trouble = err.Error()
		if o.Attempts > r.Retries || ctx.Err() != nil {
			return o
		}
		o.Earlier = append(o.Earlier, o.Trouble)
		r.Say(fmt.Sprintf("%s could not be run, and is tried again: %v", c.ID(), err))
	}
}

// Left are the cases of which there is no outcome yet. One that could not be
// run is done again.
func Left(cases []Case, outcomes []Outcome) []Case {
	done := make(map[string]bool)
	for _, o := range outcomes {
		if o.Trouble == "" {
			done[o.ID()] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(cases), func(c Case) bool { return done[c.ID()] })
}
