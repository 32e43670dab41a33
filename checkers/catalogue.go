package checkers

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// All returns every checker of this package with its usual parameters, those of
// objects first, and those that say how a run went last. To add one, add a line.
func All() []*fallacy.Checker {
	return []*fallacy.Checker{
		Set(),
		SetFull(),
		Queue(),
		TotalQueue(),
		Log(),
		Counter(),
		UniqueIDs(),
		Bank(),
		LongFork(),
		Causal(),
		CausalReverse(),
		Sessions(),
		PredicateInserts(),
		Lock(),
		Mutex(),
		Leader(),
		Watch(),
		Lease(),
		Convergence(10 * time.Second),
		Availability(),
		Deadlines(DeadlineOptions{}),
		Stats(),
		Coverage(nil),
		Recovery(),
		Crashes(nil, nil),
	}
}
