package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
)

func newRun(test fallacy.Test, cluster fallacy.Cluster, opts Options) *run {
	chance := fallacy.NewChance(test.Seed)
	r := &run{
		test: test, cluster: cluster, opts: opts,
		sched:   newScheduler(test.Concurrency, chance, test.Rate),
		nemeses: make(map[string]*nemesis),
		done:    newCompletions(),
		under:   make([]fallacy.Op, test.Concurrency),
	}
	for w := range test.Concurrency {
		r.workers = append(r.workers, r.newWorker(w, 0))
	}
	for _, n := range test.Nemeses {
		at := chance.At("nemesis").At(n.Name)
		r.sched.addNemesis(n.Name, at.At("schedule"))
		r.nemeses[n.Name] = &nemesis{Nemesis: n, cluster: cluster, chance: at.At("fault"), done: r.done, in: make(chan fallacy.Op, 1)}
	}
	return r
}

func (r *run) newWorker(w, life int) *worker {
	return &worker{
		node: r.cluster.Nodes[w%len(r.cluster.Nodes)],
		open: func(ctx context.Context, n fallacy.Node) (fallacy.Client, error) {
			conn, err := r.cluster.Target.Open(ctx, n)
			if err != nil {
				return nil, err
			}
			client, err := r.test.Workload.ClientOver(conn)
			if err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			return client, nil
		},
		timeout: r.test.OpTimeout,
		done:    r.done,
		life:    life,
		in:      make(chan fallacy.Op, 1),
	}
}

// start starts the goroutines, one a worker and one a nemesis.
func (r *run) start(ctx context.Context) {
	r.work = ctx
	for _, w := range r.workers {
		r.goros.Go(func() { w.run(ctx) })
	}
	for _, n := range r.nemeses {
		r.goros.Go(func() { n.run(ctx) })
	}
}

// stop ends the goroutines. One that hangs in a client is left behind after a while.
func (r *run) stop() {
	for _, w := range r.workers {
		close(w.in)
	}
	for _, n := range r.nemeses {
		close(n.in)
	}
	ended := make(chan struct{})
	go func() { r.goros.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(grace):
		r.opts.Note("a client does not come back; it is left behind")
	}
}

func (r *run) handOut(op fallacy.Op) {
	if op.IsClient() {
		w := op.Process % len(r.workers)
		r.under[w] = op
		r.workers[w].in <- op
		return
	}
	r.nemeses[op.Nemesis].in <- op
}

// accept refuses what a worker brings back that was given up already.
func (r *run) accept(c completion) (fallacy.Op, bool) {
	if c.op.IsClient() && r.workers[c.op.Process%len(r.workers)].life != c.life {
		return c.op, false
	}
	return c.op, true
}

// grace is what a client gets to come back after its context was done.
const grace = 2 * time.Second

// giveUp returns Info for every op whose client should have come back long ago,
// and puts a new worker in place of the one that hangs in it.
func (r *run) giveUp() []fallacy.Op {
	var lost []fallacy.Op
	now := r.now()
	for w, busy := range r.sched.busy {
		if !busy || now-r.under[w].Time < r.test.OpTimeout+grace {
			continue
		}
		old := r.workers[w]
		close(old.in)
		r.workers[w] = r.newWorker(w, old.life+1)
		next := r.workers[w]
		r.goros.Go(func() { next.run(r.work) })
		op := r.under[w]
		op.Type = fallacy.Info
		op.Error = fmt.Sprintf("the client did not come back within %v after its time was over", grace)
		lost = append(lost, op)
	}
	return lost
}

// awaitReady waits until every node serves.
func awaitReady(ctx context.Context, cluster fallacy.Cluster, limit time.Duration) error {
	if limit <= 0 {
		limit = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	errs := make([]error, len(cluster.Nodes))
	var all sync.WaitGroup
	for i, n := range cluster.Nodes {
		all.Go(func() { errs[i] = awaitNode(ctx, cluster.Target, n) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// readyEvery is how often a node that is not ready is asked again.
const readyEvery = 50 * time.Millisecond

func awaitNode(ctx context.Context, target fallacy.Target, n fallacy.Node) error {
	tick := time.NewTicker(readyEvery)
	defer tick.Stop()
	for {
		err := target.Ready(ctx, n)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until %s is ready: %w", n.Name, err)
		}
	}
}
