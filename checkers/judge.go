package checkers

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// DefaultTime is how long one checker may take unless [Options] say otherwise.
const DefaultTime = 5 * time.Minute

// grace is how long a checker may go on after its time is up before Judge
// leaves it behind.
const grace = 2 * time.Second

// Options bound what [Judge] spends. The zero Options are the usual ones.
type Options struct {
	Time     time.Duration // for each checker; 0: DefaultTime
	Parallel int           // checkers at once; 0: GOMAXPROCS
}

// Judgement is what one checker said.
type Judgement struct {
	Checker string          `json:"checker"`
	Title   string          `json:"title"` // the first line of its Doc
	Finding fallacy.Finding `json:"finding"`
	Took    time.Duration   `json:"took_ns"`
}

// Judge lets every checker judge the history and returns what each said, in the
// order of the checkers. All of them run, whatever the others find. A checker
// that panics, fails, takes too long, or passes without having examined
// anything comes to Unknown with the reason.
func Judge(ctx context.Context, h fallacy.History, all []*fallacy.Checker, options Options) []Judgement {
	if options.Time <= 0 {
		options.Time = DefaultTime
	}
	if options.Parallel <= 0 {
		options.Parallel = runtime.GOMAXPROCS(0)
	}
	judgements := make([]Judgement, len(all))
	turn := make(chan struct{}, options.Parallel)
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			judgements[i] = judge(ctx, h, c, options.Time)
		})
	}
	wg.Wait()
	return judgements
}

// Overall returns the worst verdict; Unknown when nobody judged.
func Overall(judgements []Judgement) fallacy.Verdict {
	if len(judgements) == 0 {
		return fallacy.Unknown
	}
	worst := fallacy.Valid
	for _, j := range judgements {
		worst = fallacy.Worse(worst, j.Finding.Verdict)
	}
	return worst
}

func judge(ctx context.Context, h fallacy.History, c *fallacy.Checker, limit time.Duration) Judgement {
	if c == nil || c.Check == nil {
		return Judgement{Finding: unknown("there is no checker")}
	}
	title, _, _ := strings.Cut(c.Doc, "\n")
	start := time.Now()
	finding := askWithin(ctx, h, c, limit)
	if finding.Verdict == fallacy.Valid && finding.Examined == 0 {
		finding.Verdict, finding.Reason = fallacy.Unknown, "nothing examined"
	}
	return Judgement{Checker: c.Name, Title: title, Finding: finding, Took: time.Since(start)}
}

// askWithin asks the checker, and stops waiting for one that does not heed its context.
func askWithin(ctx context.Context, h fallacy.History, c *fallacy.Checker, limit time.Duration) fallacy.Finding {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("gave up after %v", limit))
	defer cancel()
	answer := make(chan fallacy.Finding, 1)
	go func() { answer <- ask(ctx, h, c) }()
	select {
	case f := <-answer:
		return f
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case f := <-answer:
		return f
	case <-late.C:
		return unknown(context.Cause(ctx).Error())
	}
}

// ask turns a checker's error or panic into a finding.
func ask(ctx context.Context, h fallacy.History, c *fallacy.Checker) (finding fallacy.Finding) {
	defer func() {
		if p := recover(); p != nil {
			finding = unknown(fmt.Sprintf("panic: %v\n%s", p, shortStack(string(debug.Stack()))))
		}
	}()
	finding, err := c.Check(ctx, h)
	if err == nil {
		return finding
	}
	if cause := context.Cause(ctx); cause != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		err = cause
	}
	finding.Verdict, finding.Reason = fallacy.Unknown, err.Error()
	return finding
}

func unknown(reason string) fallacy.Finding {
	return fallacy.Finding{Verdict: fallacy.Unknown, Reason: reason}
}

// shortStack returns the few lines of a stack below the panic.
func shortStack(stack string) string {
	const most = 8
	if _, below, ok := strings.Cut(stack, "panic("); ok {
		if _, rest, ok := strings.Cut(below, "\n"); ok {
			stack = rest
		}
	}
	lines := strings.Split(strings.TrimSpace(stack), "\n")
	return strings.Join(lines[:min(most, len(lines))], "\n")
}
