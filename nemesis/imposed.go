package nemesis

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Conditions is what is to be wrong, by node's name or fallacy.Clients.
type Conditions map[string]fallacy.Condition

// choose decides what is to be wrong.
type choose func(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error)

// imposed is a fault that imposes conditions under a name. It is stateless, and
// so can heal what another process of the same name has done.
type imposed struct {
	name   string
	choose choose
	tries  int // how often to choose anew while what was chosen has no effect
}

// How long an injection waits for something to act on, and how often it looks.
const (
	effectPatience = 4 * time.Second
	effectEvery    = 250 * time.Millisecond
)

// Inject imposes what was chosen. The damage is the conditions as JSON has them.
// A choice that has no effect, as other faults have ended every process that it
// is about, is taken back for another; if no choice has, it waits for a while, as
// those are healed sooner or later.
func (f imposed) Inject(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (fallacy.Value, error) {
	patience := time.NewTimer(effectPatience)
	defer patience.Stop()
	tick := time.NewTicker(effectEvery)
	defer tick.Stop()
	for try := 1; ; try++ {
		damage, err := f.once(ctx, rng, c)
		if err != nil || f.tries == 1 {
			return damage, err
		}
		if _, err := c.Verify(ctx, f.name); err == nil {
			return damage, nil
		}
		if try < f.tries {
			continue
		}
		select {
		case <-tick.C:
		case <-patience.C:
			return damage, nil // whoever verifies it says why
		case <-ctx.Done():
			return damage, ctx.Err()
		}
	}
}

func (f imposed) once(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (fallacy.Value, error) {
	conditions, damage, err := f.choose.damage(ctx, rng, c)
	if err != nil {
		return fallacy.Nil(), err
	}
	return damage, c.Impose(ctx, f.name, conditions)
}

// damage chooses, and returns the conditions as they are and as JSON has them.
func (choose choose) damage(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, fallacy.Value, error) {
	conditions, err := choose(ctx, rng, c)
	if err != nil {
		return nil, fallacy.Nil(), err
	}
	damage, err := conditions.value()
	return conditions, damage, err
}

// Verify looks at what the conditions did.
func (f imposed) Verify(ctx context.Context, c fallacy.Cluster) (fallacy.Value, error) {
	return c.Verify(ctx, f.name)
}

// Heal imposes nothing, and looks whether nothing is left.
func (f imposed) Heal(ctx context.Context, c fallacy.Cluster) error {
	if err := c.Impose(ctx, f.name, nil); err != nil {
		return err
	}
	_, err := c.Verify(ctx, f.name)
	return err
}

func (c Conditions) value() (fallacy.Value, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return fallacy.Nil(), err
	}
	v, err := fallacy.ParseValue(text)
	if err != nil {
		return v, fmt.Errorf("conditions %s: %w", text, err)
	}
	return v, nil
}
