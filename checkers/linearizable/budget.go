package linearizable

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Budget bounds a check. What exceeds it is unknown. The zero Budget is the usual one.
type Budget struct {
	Time   time.Duration // for all keys together; 0: two minutes
	Memory int           // bytes that searches may take, all at a time together; 0: 1 GiB
}

func (b Budget) orUsual() Budget {
	if b.Time <= 0 {
		b.Time = 2 * time.Minute
	}
	if b.Memory <= 0 {
		b.Memory = 1 << 30
	}
	return b
}

// context returns ctx with the time limit, whose cause says what was exceeded.
func (b Budget) context(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, b.Time, fmt.Errorf("no answer within %v", b.Time))
}

// share is the memory for each of n searches at once.
func (b Budget) share(n int) int { return b.Memory / max(1, min(n, runtime.GOMAXPROCS(0))) }

// biggestFirst calls work for each of n pieces, in parallel, in the order of
// their sizes, and returns when all are done. If one of them panics, so does it.
func biggestFirst(n int, size func(i int) int, work func(i int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return size(b) - size(a) })
	next := make(chan int)
	var wg sync.WaitGroup
	var trouble atomic.Pointer[string]
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := range next {
				guarded(&trouble, func() { work(i) })
			}
		})
	}
	for _, i := range order {
		next <- i
	}
	close(next)
	wg.Wait()
	if what := trouble.Load(); what != nil {
		panic(*what)
	}
}

// guarded keeps a panic of work as text, since nobody could recover from it in
// another goroutine.
func guarded(trouble *atomic.Pointer[string], work func()) {
	defer func() {
		if p := recover(); p != nil {
			what := fmt.Sprintf("%v\n%s", p, debug.Stack())
			trouble.CompareAndSwap(nil, &what)
		}
	}()
	work()
}
