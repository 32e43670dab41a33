package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Options is what a run needs besides the test and the cluster.
type Options struct {
	// Record takes ops in the order of the history, indexed and timed. What it was
	// given must be safe from a crash of this process when it returns. An error
	// ends the run.
	Record func(ops []fallacy.Op) error

	// Note takes a line for people; nil: nobody reads it.
	Note func(text string)

	// Ready is called once every node is ready, before the first op; nil: nobody is.
	Ready func(ctx context.Context)

	// ReadyTimeout bounds the wait for every node to be ready at the start.
	ReadyTimeout time.Duration
}

// run is a test under way.
type run struct {
	test    fallacy.Test
	cluster fallacy.Cluster
	opts    Options

	sched   *scheduler
	workers []*worker
	nemeses map[string]*nemesis
	done    *completions
	under   []fallacy.Op // by worker: the op that was handed out last
	began   time.Time
	index   int
	work    context.Context // of everything under way; an interrupt leaves it alone
	goros   sync.WaitGroup
}

// Run runs test on cluster. When ctx is done it ends early, but still heals,
// waits for recovery and asks the final ops. It returns an error for trouble of
// its own only: nodes that never became ready, a record that cannot be written.
func Run(ctx context.Context, test fallacy.Test, cluster fallacy.Cluster, opts Options) error {
	if err := check(test, cluster, opts); err != nil {
		return err
	}
	if opts.Note == nil {
		opts.Note = func(string) {}
	}
	if err := awaitReady(ctx, cluster, opts.ReadyTimeout); err != nil {
		return err
	}
	if opts.Ready != nil {
		opts.Ready(ctx)
	}
	r := newRun(test, cluster, opts)
	// Ops under way end by their own timeout, so that an interrupt leaves no more
	// unknown outcomes than it must.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	r.start(work)
	err := r.phases(ctx)
	stop()
	r.stop()
	return err
}

func check(test fallacy.Test, cluster fallacy.Cluster, opts Options) error {
	switch {
	case len(cluster.Nodes) == 0:
		return errors.New("the cluster has no nodes")
	case test.Concurrency < 1:
		return fmt.Errorf("concurrency is %d, want at least 1", test.Concurrency)
	case test.Workload == nil || test.Workload.Generator == nil || test.Workload.Client == nil:
		return errors.New("the test has no workload with a generator and a client")
	case test.OpTimeout <= 0:
		return fmt.Errorf("the operation timeout is %v, want more than 0", test.OpTimeout)
	case opts.Record == nil:
		return errors.New("nobody records the run")
	}
	return nil
}

// phases is the order of a run.
func (r *run) phases(ctx context.Context) error {
	r.began = time.Now()
	workload := r.test.Workload
	clients := &r.sched.lanes[0]
	clients.gen = workload.Generator
	for i, n := range r.test.Nemeses {
		r.sched.lanes[i+1].gen = n.Schedule
	}
	if err := r.phase(ctx, r.test.Time); err != nil {
		return errors.Join(err, r.healUnrecorded(context.WithoutCancel(ctx)))
	}
	gen := clients.gen // goes on after the heal

	clients.gen = nil
	for i := range r.test.Nemeses {
		r.sched.lanes[i+1].gen = healOnce{}
	}
	ctx = context.WithoutCancel(ctx)
	if err := r.phase(ctx, 2*faultTimeout); err != nil {
		return errors.Join(err, r.healUnrecorded(ctx))
	}
	if gen != nil && r.test.Recovery > 0 {
		r.opts.Note("waiting until every node serves again")
		clients.gen = recovered(gen, r.now(), r.test.Recovery, len(r.cluster.Nodes), r.test.Concurrency)
		if err := r.phase(ctx, r.test.Recovery); err != nil {
			return err
		}
	}
	clients.gen = workload.Final
	return r.phase(ctx, finalTimeout)
}

// healUnrecorded heals when there is nobody to write it down any more.
func (r *run) healUnrecorded(ctx context.Context) error {
	var errs []error
	for _, n := range r.test.Nemeses {
		ctx, cancel := context.WithTimeout(ctx, faultTimeout)
		errs = append(errs, n.Fault.Heal(ctx, r.cluster))
		cancel()
	}
	return errors.Join(errs...)
}

// finalTimeout bounds the workload's final ops.
const finalTimeout = time.Minute

func (r *run) now() time.Duration { return time.Since(r.began) }

// phase hands out ops until the generators are exhausted, limit is over or ctx
// is done, and then waits until all that is under way has come back.
func (r *run) phase(ctx context.Context, limit time.Duration) error {
	r.sched.until = r.now() + limit
	timer := time.NewTimer(0)
	defer timer.Stop()
	var taken []completion
	for {
		if ctx.Err() != nil {
			r.sched.until = 0
		}
		taken = r.done.take(taken)
		wait, over, err := r.step(taken)
		if over || err != nil {
			return err
		}
		resetTimer(timer, wait)
		select {
		case <-r.done.signal:
		case <-timer.C:
		case <-interrupted(ctx, r.sched.until):
		}
	}
}

// interrupted returns the context's end while it is news.
func interrupted(ctx context.Context, until time.Duration) <-chan struct{} {
	if until == 0 {
		return nil
	}
	return ctx.Done()
}

// giveUpEvery is how often workers that hang are looked for.
const giveUpEvery = 100 * time.Millisecond

func resetTimer(t *time.Timer, wait time.Duration) {
	if wait < 0 || wait > giveUpEvery {
		wait = giveUpEvery
	}
	t.Reset(wait)
}

// step takes what came back, decides what comes next, records both in one go
// and only then hands the new ops out.
func (r *run) step(taken []completion) (wait time.Duration, over bool, err error) {
	var batch []fallacy.Op
	for _, c := range taken {
		if op, ok := r.accept(c); ok {
			batch = append(batch, r.answered(op))
		}
	}
	for _, op := range r.giveUp() {
		batch = append(batch, r.answered(op))
	}
	completed := len(batch)
	var d decision
	for {
		if d = r.sched.next(r.now()); d.op == nil {
			break
		}
		if d.note {
			r.opts.Note(d.op.Value.String())
			continue
		}
		op := *d.op
		if op.IsClient() {
			op.Node = r.workers[op.Process%len(r.workers)].node.Name
		}
		op.Index = r.index
		r.index++
		batch = append(batch, op)
	}
	if len(batch) > 0 {
		if err := r.opts.Record(batch); err != nil {
			return 0, true, fmt.Errorf("record the history: %w", err)
		}
	}
	for _, op := range batch[completed:] {
		r.handOut(op)
	}
	return d.wait, d.done && r.sched.outstanding == 0, nil
}

// answered gives a completion its place and tells the scheduler. Its time is
// when it is recorded: a little late, which at worst makes ops look concurrent
// that were not.
func (r *run) answered(op fallacy.Op) fallacy.Op {
	op.Index, op.Time = r.index, r.now()
	r.index++
	r.sched.complete(op)
	return op
}
