package nemesis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const compactDoc = `discard what the target keeps of its past, as its administrator does

It is asked of a node, and is of the whole cluster: what clients remember of the past
is then refused, and watches that lag behind are ended. It took effect if a read of
the past was refused. It cannot be undone, and the heal changes nothing.`

const defragDoc = `have some nodes defragment what they keep on disk, one after the other

A node that does so serves nobody meanwhile. How much room it took before and
afterwards is told. There is nothing to be undone, and the heal changes nothing.`

// task is a task of an administrator's, done to the nodes that usually picks.
func task(name, doc string, need fallacy.Need, usually func(context.Context, *rand.Rand, fallacy.Cluster) ([]string, error)) *Family {
	condition := func(*rand.Rand) fallacy.Condition { return fallacy.Condition{Task: name} }
	f := onNodes(&Family{Name: name, Doc: doc, Fallacy: oneAdministrator, Needs: []fallacy.Need{need}}, condition)
	f.choose = variantOf(pick{from: usually}, condition).choose
	f.carriesOut = func(_ string, choose choose, tries int) fallacy.Fault {
		if tries > 1 { // it is not known beforehand who is chosen
			tries = taskTries
		}
		return &maintained{name: name, choose: choose, tries: tries}
	}
	return f
}

// maintained is a fault that is over when it is done.
type maintained struct {
	name   string // of the task
	choose choose
	tries  int
	seen   fallacy.Value // by the last injection; nil: it did not take effect
}

// Times of a task, so that an injection ends before the controller gives it up.
const (
	taskPatience = 3 * time.Second  // of one node
	taskTriesFor = 12 * time.Second // after which no other nodes are tried
	taskTries    = 20
	taskAgain    = 300 * time.Millisecond // between tries: a node may be about to come back
)

// Inject has the task done to the nodes that were chosen. The damage is the tasks as
// conditions. If none of the nodes did it, others are chosen, for some seconds.
func (f *maintained) Inject(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (fallacy.Value, error) {
	tries, cancel := context.WithTimeout(ctx, taskTriesFor)
	defer cancel()
	for try := 1; ; try++ {
		f.seen = fallacy.Nil()
		conditions, damage, err := f.choose.damage(ctx, rng, c)
		if err != nil {
			return fallacy.Nil(), err
		}
		if f.seen, err = f.do(ctx, c, conditions); err == nil || try >= f.tries || !wait(tries, taskAgain) {
			return damage, err
		}
	}
}

// wait waits; false if ctx is done before.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// do returns what was seen, by node, or an error if no node did it.
func (f *maintained) do(ctx context.Context, c fallacy.Cluster, conditions Conditions) (fallacy.Value, error) {
	m, ok := c.Target.(fallacy.Maintenance)
	if !ok || m.Tasks()[f.name] == nil {
		return fallacy.Nil(), fmt.Errorf("the target has no task %q", f.name)
	}
	var seen []fallacy.Field
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		at := slices.IndexFunc(c.Nodes, func(n fallacy.Node) bool { return n.Name == name })
		if at < 0 {
			return fallacy.Nil(), fmt.Errorf("there is no node %q among %v", name, c.Names())
		}
		one, cancel := context.WithTimeout(ctx, taskPatience)
		evidence, err := m.Tasks()[f.name](one, c.Nodes[at])
		cancel()
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
			errs, evidence = append(errs, err), fallacy.String("not done: "+err.Error())
		}
		seen = append(seen, fallacy.Field{Name: name, Value: evidence})
	}
	if len(errs) == len(seen) {
		return fallacy.Nil(), errors.Join(errs...)
	}
	return fallacy.Object(fallacy.Field{Name: f.name, Value: fallacy.Object(seen...)}), nil
}

// Verify returns what the tasks saw of their own effect.
func (f *maintained) Verify(context.Context, fallacy.Cluster) (fallacy.Value, error) {
	if f.seen.IsNil() {
		return f.seen, fmt.Errorf("no node did %s", f.name)
	}
	return f.seen, nil
}

// Heal changes nothing: what was done is over.
func (f *maintained) Heal(context.Context, fallacy.Cluster) error {
	f.seen = fallacy.Nil()
	return nil
}
