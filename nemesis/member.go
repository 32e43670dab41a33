package nemesis

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const memberDoc = `remove nodes from the cluster, and add them again at the heal, empty

A node is removed by asking the target, as an operator would, and its process ended.
At the heal its data directory is emptied, it is added as a new member, started, and
waited for until the others say that it is one. Never are so many removed that fewer than a majority of
all nodes would be members. While the others have no majority, nobody can be removed,
nor added: an injection waits for that for some seconds, and a heal for longer.`

// Bounds on what is asked of the target. An injection and a heal have half a minute.
const (
	leavePatience  = 10 * time.Second // for one node to be removed
	leaveFor       = 8 * time.Second  // for anybody to be: others may have ended a majority, who come back
	memberPatience = 5 * time.Second  // for somebody to say who the members are
	rejoinPatience = 15 * time.Second // for a heal: another fault may be in its way that ends only when it gives up
	startPatience  = 6 * time.Second  // for a node that was added to start as a member
	rejoinAfter    = 250 * time.Millisecond
)

// membership is the fault of removing members.
func membership() *Family {
	needs := []fallacy.Need{fallacy.NeedProcess, fallacy.NeedMembers}
	f := &Family{Name: "member", Doc: memberDoc, Fallacy: stableTopology, Needs: needs, Nodes: 3}
	f.carriesOut = func(name string, choose choose, _ int) fallacy.Fault { return &member{name: name, choose: choose} }
	ended := func(*rand.Rand) fallacy.Condition { return fallacy.Condition{Process: fallacy.Killed} }
	var anyhow []pick
	for _, p := range picks() {
		switch p.name {
		case "one", "minority":
			anyhow = append(anyhow, p)
			fallthrough
		case "leader", "follower":
			f.Variants = append(f.Variants, variantOf(p, ended))
		}
	}
	f.choose = func(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (Conditions, error) {
		return conditionsOf(ctx, rng, c, anyhow[rng.IntN(len(anyhow))], ended)
	}
	f.named = func(p pick) Variant { return variantOf(p, ended) }
	return f
}

// member removes the nodes that are chosen. It remembers whom, as another fault may
// have removed others, whom that one brings back.
type member struct {
	name   string
	choose choose

	mu   sync.Mutex
	away map[string]bool // nodes that may be no members; true: added again, and not seen to start yet
}

// Inject removes members, then ends their processes. The damage is as a kill's: who
// was removed, or may have been.
func (f *member) Inject(ctx context.Context, rng *rand.Rand, c fallacy.Cluster) (fallacy.Value, error) {
	target, err := membersOf(c)
	if err != nil {
		return fallacy.Nil(), err
	}
	again, cancel := context.WithTimeout(ctx, leaveFor)
	defer cancel()
	for {
		damage, err := f.once(ctx, rng, c, target)
		if !damage.IsNil() || errors.Is(err, errNobody) || !wait(again, rejoinAfter) {
			return damage, err
		}
	}
}

// once removes those that it chooses. No damage means that nobody was removed.
func (f *member) once(ctx context.Context, rng *rand.Rand, c fallacy.Cluster, target fallacy.Membership) (fallacy.Value, error) {
	chosen, err := f.choose(ctx, rng, c)
	if err != nil {
		return fallacy.Nil(), err
	}
	names, err := spare(ctx, c, target, shuffled(rng, slices.Sorted(maps.Keys(chosen))))
	if err != nil {
		return fallacy.Nil(), err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	gone, failed := f.remove(ctx, c, target, names)
	damage, err := gone.value()
	if len(gone) == 0 {
		return fallacy.Nil(), failed
	}
	return damage, errors.Join(failed, err, c.Impose(ctx, f.name, f.ended()))
}

// errNobody is of a choice of nodes none of which can go.
var errNobody = errors.New("nobody can be removed")

// spare are those of names that are members and can go, so that a majority stays.
func spare(ctx context.Context, c fallacy.Cluster, target fallacy.Membership, names []string) ([]string, error) {
	members, err := askMembers(ctx, c, target)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !slices.Contains(members, n) })
	majority := len(c.Nodes)/2 + 1
	names = names[:max(0, min(len(names), len(members)-majority))]
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: of %d nodes %v are members, and %d are a majority", errNobody, len(c.Nodes), members, majority)
	}
	return names, nil
}

// remove removes one node after the other, until one cannot be.
func (f *member) remove(ctx context.Context, c fallacy.Cluster, target fallacy.Membership, names []string) (gone Conditions, err error) {
	gone = make(Conditions)
	if f.away == nil {
		f.away = make(map[string]bool)
	}
	for _, name := range names {
		ctx, cancel := context.WithTimeout(ctx, leavePatience)
		err := target.Leave(ctx, nodeOf(c, name), c.Nodes)
		cancel()
		if err != nil && errors.Is(err, fallacy.ErrFailed) {
			return gone, fmt.Errorf("%s was not removed: %w", name, err)
		}
		f.away[name] = false
		gone[name] = fallacy.Condition{Process: fallacy.Killed}
		if err != nil {
			return gone, fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return gone, nil
}

// ended are the conditions of the nodes that are away, and not added again.
func (f *member) ended() Conditions {
	conditions := make(Conditions)
	for name, added := range f.away {
		if !added {
			conditions[name] = fallacy.Condition{Process: fallacy.Killed}
		}
	}
	if len(conditions) == 0 {
		return nil
	}
	return conditions
}

// Verify asks the others who the members are, and looks whether the removed have ended.
func (f *member) Verify(ctx context.Context, c fallacy.Cluster) (fallacy.Value, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen, err := c.Verify(ctx, f.name)
	fields, _ := seen.Fields()
	target, targetErr := membersOf(c)
	if targetErr != nil {
		return seen, errors.Join(err, targetErr)
	}
	var members []string
	removed := retry(ctx, memberPatience, func(ctx context.Context) (err error) {
		if members, err = target.Members(ctx, c.Nodes); err != nil {
			return err
		}
		for _, name := range members {
			if added, away := f.away[name]; away && !added {
				return fmt.Errorf("%s is a member, as %v say", name, members)
			}
		}
		return nil
	})
	list := make([]fallacy.Value, len(members))
	for i, name := range members {
		list[i] = fallacy.String(name)
	}
	fields = append([]fallacy.Field{{Name: "members", Value: fallacy.List(list...)}}, fields...)
	return fallacy.Object(fields...), errors.Join(err, removed)
}

// Heal adds those that are away as new members, one after the other, and waits until
// each has started: who is added while another is on its way would be told of too many.
func (f *member) Heal(ctx context.Context, c fallacy.Cluster) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, rejoinPatience)
	defer cancel()
	for _, name := range slices.Sorted(maps.Keys(f.away)) {
		if err := f.rejoin(limited, c, name); err != nil {
			return fmt.Errorf("add %s again: %w", name, err)
		}
		delete(f.away, name)
	}
	if err := c.Impose(ctx, f.name, nil); err != nil {
		return err
	}
	_, err := c.Verify(ctx, f.name)
	return err
}

// rejoin adds a node as a new member and waits until the others know that it has
// started as one: whether it serves may depend on other faults. One that does not
// start is added anew: it may have asked a peer that had not heard of it, and taken
// itself for a member that is no more.
func (f *member) rejoin(ctx context.Context, c fallacy.Cluster, name string) error {
	target, err := membersOf(c)
	if err != nil {
		return err
	}
	n := nodeOf(c, name)
	for started := false; !started; {
		if !f.away[name] || !isMember(ctx, c, target, name) {
			// From the start, whatever was done before: removed first, if it was not.
			f.away[name] = false
			if err := retry(ctx, rejoinPatience, func(ctx context.Context) error { return replace(ctx, c, target, n) }); err != nil {
				return err
			}
			f.away[name] = true
		}
		imposed := c.Impose(ctx, f.name, f.ended()) // an error of another node's is not in the way
		err := retry(ctx, startPatience, func(ctx context.Context) error {
			if !isMember(ctx, c, target, name) {
				return errors.New("it was added, and has not started as a member")
			}
			return nil
		})
		if started = err == nil; !started && ctx.Err() != nil {
			return errors.Join(err, imposed)
		}
	}
	return nil
}

// replace removes n if it is a member, adds it, and has it begin with nothing.
func replace(ctx context.Context, c fallacy.Cluster, target fallacy.Membership, n fallacy.Node) error {
	ctx, cancel := context.WithTimeout(ctx, leavePatience)
	defer cancel()
	if err := target.Leave(ctx, n, c.Nodes); err != nil {
		return err
	}
	p, err := target.Join(ctx, n, c.Nodes)
	if err != nil {
		return err
	}
	return c.Replace(ctx, n.Name, p)
}

func isMember(ctx context.Context, c fallacy.Cluster, target fallacy.Membership, name string) bool {
	members, err := target.Members(ctx, c.Nodes)
	return err == nil && slices.Contains(members, name)
}

// membersOf is the target as one whose members can be removed.
func membersOf(c fallacy.Cluster) (fallacy.Membership, error) {
	target, ok := c.Target.(fallacy.Membership)
	if !ok {
		return nil, fmt.Errorf("the target's members cannot be removed: %T has no Members, Leave and Join", c.Target)
	}
	return target, nil
}

// askMembers asks for the members until somebody says.
func askMembers(ctx context.Context, c fallacy.Cluster, target fallacy.Membership) (members []string, err error) {
	err = retry(ctx, memberPatience, func(ctx context.Context) (err error) {
		members, err = target.Members(ctx, c.Nodes)
		return err
	})
	return members, err
}

func nodeOf(c fallacy.Cluster, name string) fallacy.Node {
	i := slices.IndexFunc(c.Nodes, func(n fallacy.Node) bool { return n.Name == name })
	return c.Nodes[i] // choose picks of these
}

// retry tries until there is no error, for a bounded time, and returns the last that
// says more than that the time is over.
func retry(ctx context.Context, patience time.Duration, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(rejoinAfter)
	defer tick.Stop()
	var last error
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return last
		}
	}
}
