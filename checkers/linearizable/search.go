package linearizable

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/fallacy-dev/fallacy"
)

// problem is calls that are to be put in an order, as a search sees them: an
// interval each, states, and steps between states. A call without an end need
// not happen.
type problem struct {
	intervals []interval
	init      any
	step      func(state any, call int) (next any, ok bool)
	looks     func(call int) bool // it never changes a state; of others nothing is known
	digest    func(state any) digest
}

// search tells whether an order of the calls exists. It spends at most memory
// bytes on what it remembers, near enough, and stops when ctx is done; then it
// returns an error.
//
// It is the search of Wing, Gong and Lowe over a window: of those calls that may
// be next, what changes no state and fits is taken at once, and of the others the
// one that ended first is tried first; if that does not fit, then those after
// which it does. A set of calls in order is remembered, once
// nothing came of it, as a digest, so that a step costs no more in a long history.
//
// At first calls that need not happen are put in order only where they let another
// come next. If that leads nowhere, all is tried.
func (p *problem) search(ctx context.Context, memory int) (ok bool, err error) {
	defer func() {
		if trouble := recover(); trouble != nil {
			ok, err = false, fmt.Errorf("the model panics: %v", trouble)
		}
		if err != nil {
			err = fmt.Errorf("searching for an order of %d calls: %w", len(p.intervals), err)
		}
	}()
	s := p.start()
	s.thrifty = true
	ok, err = s.run(ctx, memory)
	if ok || err != nil || !s.withheld {
		return ok, err
	}
	return p.start().run(ctx, memory)
}

func (s *searching) run(ctx context.Context, memory int) (bool, error) {
	state, more := s.init, true
	for steps := 0; more; steps++ {
		if steps%256 == 0 && ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if s.most > 0 && (steps >= s.most || s.idle > s.most/idleShare) {
			return false, errSteps
		}
		s.idle++
		s.look(state)
		if s.window.required == 0 {
			return true, nil
		}
		if !s.hopeless(state) {
			s.frames = append(s.frames, choice{state: state, base: len(s.window.log), tried: -1, first: s.stuck(state)})
		}
		state, more = s.advance()
		if len(s.failed)*impasseBytes > memory {
			return false, errMemory
		}
	}
	return false, nil
}

// searching is a search on its way.
type searching struct {
	*problem
	window *window
	rank   []int32 // by call: its place in the order of ends
	frames []choice
	failed map[digest]struct{}

	thrifty  bool // calls that need not happen only come where they help
	withheld bool // one did not come for that

	most     int     // steps; 0: any number
	idle     int     // steps since there was a longer order than before
	farthest []int32 // the calls in order when fewest were left that must happen
	left     int     // how many those were
	shared   int     // how many of those the window's log begins with
}

// choice is a choice of the next call to be made.
type choice struct {
	state any
	base  int   // length of the window's log
	tried int32 // rank of the call tried last
	first int32 // while not none, only calls are tried that let this one come next
}

func (p *problem) start() *searching {
	s := &searching{problem: p, window: newWindow(p.intervals), failed: make(map[digest]struct{}), left: math.MaxInt}
	byEnd := make([]int32, len(p.intervals))
	for i := range byEnd {
		byEnd[i] = int32(i)
	}
	slices.SortStableFunc(byEnd, func(a, b int32) int { return cmp.Compare(p.intervals[a].end, p.intervals[b].end) })
	s.rank = make([]int32, len(byEnd))
	for rank, at := range byEnd {
		s.rank[at] = int32(rank)
	}
	return s
}

// hopeless tells whether no order goes on from here, as was found before.
func (s *searching) hopeless(state any) bool {
	if len(s.failed) == 0 {
		return false
	}
	_, known := s.failed[s.here(state)]
	return known
}

func (s *searching) here(state any) digest { return s.window.done.with(s.digest(state)) }

// look takes the calls that change nothing and fit.
func (s *searching) look(state any) {
	if s.looks == nil {
		return
	}
	s.window.each(func(at int32) bool {
		if !s.looks(int(at)) {
			return false
		}
		if _, ok := s.step(state, int(at)); !ok {
			return false
		}
		s.window.take(at)
		return true
	})
}

// advance makes the next choice that has not been tried.
func (s *searching) advance() (state any, more bool) {
	if s.most > 0 && s.window.required < s.left {
		s.farthest = append(s.farthest[:s.shared], s.window.log[s.shared:]...)
		s.shared, s.left, s.idle = len(s.farthest), s.window.required, 0
	}
	for len(s.frames) > 0 {
		f := &s.frames[len(s.frames)-1]
		for len(s.window.log) > f.base {
			s.window.untake()
		}
		s.shared = min(s.shared, f.base)
		for {
			best := s.untried(f.tried)
			if best == none && f.first == none {
				break
			}
			if best == none {
				f.tried, f.first = -1, none
				continue
			}
			f.tried = s.rank[best]
			next, ok := s.step(f.state, int(best))
			if !ok || !s.helps(next, f.first) {
				continue
			}
			if s.thrifty && f.first == none && s.window.ends[best] == 0 && !s.opens(f.state, next) {
				s.withheld = true
				continue
			}
			s.window.take(best)
			return next, true
		}
		s.failed[s.here(f.state)] = struct{}{}
		s.frames = s.frames[:len(s.frames)-1]
	}
	return nil, false
}

// stuck returns the call that must be in order first, if it does not fit yet.
func (s *searching) stuck(state any) int32 {
	first := s.window.firstEnd()
	if _, fits := s.step(state, int(first)); fits {
		return none
	}
	return first
}

// helps tells whether a state lets the call come next that the search is stuck at.
func (s *searching) helps(state any, first int32) bool {
	if first == none {
		return true
	}
	_, fits := s.step(state, int(first))
	return fits
}

// opens tells whether a state lets some call come next that the state before did not.
func (s *searching) opens(before, next any) bool {
	opens := false
	s.window.each(func(at int32) bool {
		if opens || s.window.ends[at] == 0 {
			return false
		}
		if _, fits := s.step(before, int(at)); !fits {
			_, opens = s.step(next, int(at))
		}
		return false
	})
	return opens
}

// untried returns the call of those that may be next with the lowest rank above tried.
func (s *searching) untried(tried int32) int32 {
	best, least := int32(none), int32(math.MaxInt32)
	s.window.each(func(at int32) bool {
		if rank := s.rank[at]; rank > tried && rank < least {
			best, least = at, rank
		}
		return false
	})
	return best
}

// shortest returns the place of the answered call up to whose end there already
// is no order. What is linearizable remains so when its end is cut off, hence a
// binary search; it begins near an end up to which there probably is none, unless
// that is never. It is not certain if the budget ran out.
func shortest(ends []int32, near int32, orderUpTo func(end int32) (bool, error)) (place int, certain bool) {
	var answered []int // places, by completion
	for i, end := range ends {
		if end != never {
			answered = append(answered, i)
		}
	}
	slices.SortFunc(answered, func(a, b int) int { return cmp.Compare(ends[a], ends[b]) })
	certain = true
	none := func(i int) bool {
		ok, err := orderUpTo(ends[answered[i]])
		certain = certain && err == nil
		return !ok && err == nil
	}
	low, high := 0, len(answered)-1 // there is none up to high
	at := sort.Search(high, func(i int) bool { return ends[answered[i]] >= near })
	if near != never && none(at) {
		high = at
		for step := 1; low < high; step *= 2 {
			i := max(low, high-step)
			if !none(i) {
				low = i + 1
				break
			}
			high = i
		}
	}
	return answered[low+sort.Search(high-low, func(i int) bool { return none(low + i) })], certain
}

// around returns the call at the place and those that ran at the same time, as
// many as are fit to be shown.
func around(n, place int, intervals func(place int) interval, call func(place int) fallacy.Call) []fallacy.Call {
	const most = 16
	it := intervals(place)
	near := []fallacy.Call{call(place)}
	for i := range n {
		if c := intervals(i); i != place && len(near) < most && c.begin < it.end && c.end > it.begin {
			near = append(near, call(i))
		}
	}
	return near
}
