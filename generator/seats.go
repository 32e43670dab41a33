package generator

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// seats number the workers that a moment lets a generator use, from 0, so that
// they can be divided. A moment tells how many there are but not which, as it
// shows only those that are free: a worker takes the next seat when it is first
// seen. Where the generator may use all workers of the run, worker i has seat i.
type seats struct {
	of    []int32 // seat by worker; -1 while it has none
	taken int
}

// seat returns the seats with every free worker of the moment seated.
func (s *seats) seat(now fallacy.Moment) *seats {
	if s != nil && s.taken >= now.Workers {
		return s
	}
	if s == nil {
		s = &seats{of: slices.Repeat([]int32{-1}, now.Concurrency)}
		if now.Workers >= now.Concurrency {
			for w := range s.of {
				s.of[w] = int32(w)
			}
			s.taken = now.Concurrency
			return s
		}
	}
	var fresh []int
	for _, p := range now.Free {
		if w := worker(p, now); s.of[w] < 0 {
			fresh = append(fresh, w)
		}
	}
	if len(fresh) == 0 {
		return s
	}
	slices.Sort(fresh)
	s = &seats{slices.Clone(s.of), s.taken}
	for _, w := range fresh {
		s.of[w] = int32(s.taken)
		s.taken++
	}
	return s
}

// at returns the seat of a process, -1 if it has none.
func (s *seats) at(p int, now fallacy.Moment) int {
	if s == nil {
		return -1
	}
	return int(s.of[worker(p, now)])
}

// between returns the free processes of the moment with seats in [low, high). It
// does not allocate when they stand side by side, as they do when Free is in the
// order of workers.
func (s *seats) between(low, high int, now fallacy.Moment) []int {
	first, end := -1, 0 // Free[first:end] are all those found, as long as they stand side by side
	for i, p := range now.Free {
		if seat := s.at(p, now); seat < low || seat >= high {
			continue
		}
		if first < 0 {
			first = i
		} else if i != end {
			return s.scattered(low, high, now)
		}
		if end = i + 1; end-first == high-low {
			break
		}
	}
	if first < 0 {
		return nil
	}
	return now.Free[first:end:end]
}

func (s *seats) scattered(low, high int, now fallacy.Moment) []int {
	var free []int
	for _, p := range now.Free {
		if seat := s.at(p, now); seat >= low && seat < high {
			free = append(free, p)
		}
	}
	return free
}

// worker returns the worker that a process belongs to.
func worker(p int, now fallacy.Moment) int {
	if p < now.Concurrency { // no division for those that never crashed
		return p
	}
	return p % now.Concurrency
}
