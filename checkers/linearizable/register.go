package linearizable

import (
	"context"

	"github.com/fallacy-dev/fallacy"
)

const registerDoc = `each register behaves as if calls took effect one at a time

For read, write and cas on registers that hold nothing at first, each key apart.
An order of the calls must exist in which each read sees the value last written
and each cas finds what it expected, and which agrees with real time.

If values are unique per key the answer is exact, and takes a sort's time: values
with the calls that saw them form chains which cannot be interleaved, and two
chains that each must come first are the anomaly "nonlinearizable". Four calls
at the most show it, and a few more if outcomes are unknown or compare-and-sets
lead round in a circle. Told is what came first, how far an order of the calls
until then goes, and why no call can come next. A cas that failed and tells what
it saw is a read. A write or cas of unknown outcome counts if somebody saw its
value.

A cas that failed and does not tell what it saw proves nothing, unless the caller
can tell that it was refused (see Options). Such opaque refusals are searched for
an order, value by value, if all is well but for them: that is fast as a
rule, and takes time exponential in the concurrency at worst.

If a value was written twice to a key (nothing, which is there at first,
counts), a search goes call by call. Searches have a budget of time and memory;
without an answer the verdict is unknown.

Source: Gibbons and Korach, Testing Shared Memories, 1997, for the exact check; Wing
and Gong, 1993, and Lowe, 2017, for the searches.`

// Register returns the checker of registers: read, write and cas, by key.
func Register() *fallacy.Checker { return RegisterWith(Options{}) }

// RegisterWith returns the checker of registers, with options.
func RegisterWith(options Options) *fallacy.Checker {
	return &fallacy.Checker{
		Name: "linearizable",
		Doc:  registerDoc,
		Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
			budget := options.Budget.orUsual()
			ctx, cancel := budget.context(ctx)
			defer cancel()
			all, err := registers(h, options)
			if err != nil {
				return fallacy.Finding{}, err
			}
			parts := make([]part, len(all))
			biggestFirst(len(all), func(i int) int { return all[i].size }, func(i int) {
				parts[i] = all[i].judge(ctx, budget.share(len(all)))
			})
			return together(ctx, parts), nil
		},
	}
}

// judge decides one register: exactly if it can be, else by search.
func (r *register) judge(ctx context.Context, memory int) part {
	p := part{name: r.name, size: r.size}
	if p.err = context.Cause(ctx); p.err != nil {
		return p
	}
	answer, w, bad := r.exact()
	p.searched = answer == undecided || answer == legal && r.hasRefusals()
	if p.searched {
		answer, bad, p.err = r.search(ctx, memory, w)
	}
	if answer != illegal {
		return p
	}
	switch {
	case bad == nil:
		p.bad = r.pinned(ctx, memory)
	case !p.searched:
		p.bad = r.first(bad)
	default:
		p.bad = bad
	}
	p.bad.stuck = func(ctx context.Context) *fallacy.Stuck { return r.stuckAt(ctx, p.bad) }
	return p
}

// search decides a register that has a witness but for its refusals, or that
// has none since values repeat.
func (r *register) search(ctx context.Context, memory int, w *witness) (answer, *violation, error) {
	if w != nil {
		return r.withRefusals(ctx, memory, w)
	}
	ok, err := r.problem().search(ctx, memory)
	switch {
	case err != nil:
		return undecided, nil, err
	case ok:
		return legal, nil, nil
	}
	return illegal, nil, nil
}
