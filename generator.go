package fallacy

import "time"

// Generator decides what to do next. It is a value: its methods return the next
// state and leave the receiver as it was, so that asking twice gives the same
// answer. It reads no clock and draws every choice from the moment's Chance.
type Generator interface {
	// Next returns the next op and what remains after it. A nil op means not now:
	// ask again later. A nil rest means never again, after op if there is one. An
	// op whose time is later than now is to be performed then; the caller may come
	// back earlier and ask again, and the answer may then be another.
	//
	// The op is an invocation by a free process of the moment, or by an idle
	// nemesis of it. An op of type Info is a note for people; nobody performs it.
	Next(now Moment) (op *Op, rest Generator)

	// Update returns the generator's state after event, an invocation or a
	// completion, which may have come from anywhere in the run.
	Update(now Moment, event Op) Generator
}

// Moment is what a generator may look at: the time, and who is free.
type Moment struct {
	Time        time.Duration // since the run began
	Free        []int         // processes that are idle, at most one a worker; not to be changed
	Workers     int           // how many workers the generator may use, idle or not
	Concurrency int           // workers of the whole run; process p belongs to worker p % Concurrency
	Idle        []string      // nemeses that are idle; not to be changed
	Nemeses     int           // how many nemeses the generator may use, idle or not
	Chance      Chance        // the place that the generator's choices are drawn from
}

// Quiet tells whether nothing is under way: all workers and nemeses that the
// generator may use are idle.
func (m Moment) Quiet() bool { return len(m.Free) == m.Workers && len(m.Idle) == m.Nemeses }
