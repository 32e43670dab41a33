package checkers

import (
	"cmp"
	"container/heap"
	"slices"
	"sort"

	"github.com/fallacy-dev/fallacy"
)

// level is all reads of one value.
type level struct {
	value    int
	latest   total // of its reads the one invoked last
	earliest total // of its reads the one completed first
	// sentinels for the search below
	begunUpTo  int // the latest invocation among this level and all lower ones
	endsFromOn int // the earliest completion among this level and all higher ones
}

// checkUnits decides whether unit increments and reads can be put in an order.
// The reads of one value form a level, and levels must come in the order of
// their values. The gap below a level takes exactly as many increments as it
// rises; real time gives each increment a range of gaps. Gaps are filled from
// below, by the increment whose last gap comes first; increments of unknown
// outcome may be left over.
func checkUnits(found *evidence, adds []delta, reads []total) {
	levels := levelsOf(reads)
	if !levelsInOrder(found, levels) {
		return
	}
	jobs := make([]job, 0, len(adds))
	for _, a := range adds {
		j := jobOf(a.Call, levels)
		if j.last < j.first {
			reportUncounted(found, j, levels[j.last])
			return
		}
		jobs = append(jobs, j)
	}
	slices.SortStableFunc(jobs, func(a, b job) int { return cmp.Compare(a.first, b.first) })
	fillGaps(found, levels, jobs)
}

func levelsOf(reads []total) []level {
	byValue := slices.SortedStableFunc(slices.Values(reads), func(a, b total) int { return cmp.Compare(a.value, b.value) })
	var levels []level
	for _, r := range byValue {
		if n := len(levels); n == 0 || levels[n-1].value != r.value {
			levels = append(levels, level{value: r.value, latest: r, earliest: r})
			continue
		}
		l := &levels[len(levels)-1]
		if r.Invoke.Index > l.latest.Invoke.Index {
			l.latest = r
		}
		if r.Complete.Index < l.earliest.Complete.Index {
			l.earliest = r
		}
	}
	for i := range levels {
		levels[i].begunUpTo = levels[i].latest.Invoke.Index
		if i > 0 {
			levels[i].begunUpTo = max(levels[i].begunUpTo, levels[i-1].begunUpTo)
		}
	}
	for i := len(levels) - 1; i >= 0; i-- {
		levels[i].endsFromOn = levels[i].earliest.Complete.Index
		if i+1 < len(levels) {
			levels[i].endsFromOn = min(levels[i].endsFromOn, levels[i+1].endsFromOn)
		}
	}
	return levels
}

// levelsInOrder reports a read of a higher value that ended before a read of a
// lower one began.
func levelsInOrder(found *evidence, levels []level) bool {
	var last total // of the lower levels, the read invoked last
	for _, l := range levels {
		if last.Invoke != nil && l.earliest.Complete.Index < last.Invoke.Index {
			found.add("nonlinearizable", []fallacy.Call{l.earliest.Call, last.Call},
				"process %d read %d (op %d) in a call invoked after process %d had read %d (op %d), and nothing is ever subtracted",
				last.Invoke.Process, last.value, opOf(last.Call), l.earliest.Invoke.Process, l.value, opOf(l.earliest.Call))
			return false
		}
		if last.Invoke == nil || l.latest.Invoke.Index > last.Invoke.Index {
			last = l.latest
		}
	}
	return true
}

// job is an increment with the range of gaps that it may fall into: gap i is
// below level i, and there is one more above all levels.
type job struct {
	fallacy.Call
	first, last int
	optional    bool
}

func jobOf(c fallacy.Call, levels []level) job {
	n := len(levels)
	return job{
		Call: c,
		// It must not begin after a read at or above its gap has ended, nor end
		// before a read below its gap has begun.
		first:    sort.Search(n, func(i int) bool { return levels[i].endsFromOn > c.Invoke.Index }),
		last:     sort.Search(n, func(i int) bool { return levels[i].begunUpTo > endOf(c) }),
		optional: c.Type() != fallacy.OK,
	}
}

// reportUncounted reports an add that falls between two reads of one value.
func reportUncounted(found *evidence, j job, l level) {
	found.add("nonlinearizable", []fallacy.Call{l.earliest.Call, j.Call, l.latest.Call},
		"process %d read %d (op %d) before process %d's add was invoked (op %d), and process %d read %d again (op %d) in a call invoked after that add had been acknowledged",
		l.earliest.Invoke.Process, l.value, opOf(l.earliest.Call), j.Invoke.Process, j.Invoke.Index,
		l.latest.Invoke.Process, l.value, opOf(l.latest.Call))
}

// fillGaps expects jobs by their first gap.
func fillGaps(found *evidence, levels []level, jobs []job) {
	var waiting jobHeap
	below := 0
	for gap, l := range levels {
		for ; len(jobs) > 0 && jobs[0].first <= gap; jobs = jobs[1:] {
			heap.Push(&waiting, jobs[0])
		}
		for need := l.value - below; need > 0; need-- {
			if len(waiting) == 0 {
				found.add("nonlinearizable", []fallacy.Call{l.earliest.Call},
					"process %d read %d (op %d), but no order of the adds that agrees with the other reads puts more than %d before it",
					l.earliest.Invoke.Process, l.value, opOf(l.earliest.Call), l.value-need)
				return
			}
			heap.Pop(&waiting)
		}
		if len(waiting) > 0 && waiting[0].last <= gap {
			j := waiting[0]
			found.add("nonlinearizable", []fallacy.Call{j.Call, l.latest.Call},
				"process %d read %d (op %d), but process %d's add (op %d) must come before it, and with that no order of the adds leaves as few as %d there",
				l.latest.Invoke.Process, l.value, opOf(l.latest.Call), j.Invoke.Process, opOf(j.Call), l.value)
			return
		}
		below = l.value
	}
}

// jobHeap holds jobs by their last gap; optional ones, which can always wait, come last.
type jobHeap []job

func (h jobHeap) Len() int      { return len(h) }
func (h jobHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h jobHeap) Less(i, j int) bool {
	if h[i].last != h[j].last {
		return h[i].last < h[j].last
	}
	return !h[i].optional && h[j].optional
}

// Push adds a job; see [heap.Push].
func (h *jobHeap) Push(j any) { *h = append(*h, j.(job)) }

// Pop removes the last job; see [heap.Pop].
func (h *jobHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
