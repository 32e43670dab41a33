package checkers

import (
	"context"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const setFullDoc = `what became of each element of the set, and how soon it was visible

For a set that only grows, with add of one element and read of the whole. An
element is known from when its add was acknowledged or a read first showed it.
By the last read that shows an element and the last that lacks it, in the order of
their invocations, it is

  stable      it was there in the end
  lost        it was known, and in the end it was not there: an anomaly
  never read  no read shows it, and none that should have: no anomaly

  stale       a stable element that a read lacked which was invoked when it was
              known: an anomaly if the set claims to be linearizable
  duplicated  a read shows it more than once: an anomaly

The details count all of these and give quantiles of the times from when stable
elements were known until no read lacked them any more, and likewise of the lost.

It cannot see what no read could: have reads all along, and at the end. Elements
are expected to be unique.

Source: Jepsen's set-full checker.`

// SetFull returns the checker of elements' fates, which forgives stale reads.
func SetFull() *fallacy.Checker { return SetFullWith(false) }

// SetFullWith returns the checker of elements' fates. If the set claims to be
// linearizable, a stale read is an anomaly.
func SetFullWith(linearizable bool) *fallacy.Checker {
	return &fallacy.Checker{Name: "set-full", Doc: setFullDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		s := fates{places: make(map[fallacy.Ident]int), linearizable: linearizable}
		return s.check(ctx, h)
	}}
}

// fate is what is known of one element.
type fate struct {
	value   fallacy.Value
	add     fallacy.Call // acknowledged
	known   fallacy.Call // that made it known
	present fallacy.Call // the last read that shows it
	absent  fallacy.Call // the last read that lacks it and was invoked when it was known
	shown   bool         // by the read that is looked at
}

// Fates is the details of what [SetFull] finds.
type Fates struct {
	Elements   int            `json:"elements"`
	Stable     int            `json:"stable"`
	Lost       int            `json:"lost"`
	NeverRead  int            `json:"never_read"`
	Stale      int            `json:"stale"`
	Duplicated int            `json:"duplicated"`
	Visible    *Latency       `json:"visible_after,omitempty"` // of stable elements
	LostAfter  *Latency       `json:"lost_after,omitempty"`
	Anomalies  map[string]int `json:"anomalies,omitempty"`
}

type fates struct {
	places       map[fallacy.Ident]int
	elements     []fate
	reads        []fallacy.Call
	linearizable bool
	found        evidence
	details      Fates
}

func (s *fates) check(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	examined := 0
	for c := range h.Calls() {
		examined++
		switch {
		case c.Invoke.F != "add" && c.Invoke.F != "read":
			return fallacy.Finding{}, unexpected(c, "add or read")
		case c.Invoke.F == "read" && c.Type() == fallacy.OK:
			s.reads = append(s.reads, c)
		case c.Invoke.F == "add" && c.Type() == fallacy.OK:
			e := s.element(c.Invoke.Value)
			e.add = c
			e.knownBy(c)
		case c.Invoke.F == "add" && c.Type() == fallacy.Info:
			s.element(c.Invoke.Value)
		}
	}
	for _, r := range s.reads {
		if err := s.read(r); err != nil {
			return fallacy.Finding{}, err
		}
	}
	s.findAbsences()
	s.tell()
	s.details.Anomalies = s.found.totals
	return unless(s.found.finding(examined, s.details), s.details.Stable > 0, "no element was ever seen to stay"), ctx.Err()
}

func (s *fates) element(v fallacy.Value) *fate {
	id := v.Ident()
	at, ok := s.places[id]
	if !ok {
		at = len(s.elements)
		s.places[id] = at
		s.elements = append(s.elements, fate{value: v})
	}
	return &s.elements[at]
}

func (e *fate) knownBy(c fallacy.Call) {
	if e.known.Invoke == nil || c.Complete.Index < e.known.Complete.Index {
		e.known = c
	}
}

func (s *fates) read(r fallacy.Call) error {
	values, ok := r.Value().List()
	if !ok && !r.Value().IsNil() {
		return unexpected(r, "a list of elements")
	}
	for _, v := range values {
		e := s.element(v)
		if e.present.Invoke == r.Invoke {
			s.details.Duplicated++
			s.found.add("duplicated", []fallacy.Call{e.add, r}, "process %d's read (op %d) shows %v more than once",
				r.Invoke.Process, opOf(r), v)
		}
		e.present = r
		e.knownBy(r)
	}
	return nil
}

// findAbsences goes through the reads from the last on, with the elements that
// all reads so far show. Each read either shows an element or is the last not to.
func (s *fates) findAbsences() {
	left := make([]int, 0, len(s.elements))
	for i := range s.elements {
		if s.elements[i].known.Invoke != nil {
			left = append(left, i)
		}
	}
	for _, r := range slices.Backward(s.reads) {
		values, _ := r.Value().List()
		for _, v := range values {
			s.elements[s.places[v.Ident()]].shown = true
		}
		left = slices.DeleteFunc(left, func(at int) bool {
			e := &s.elements[at]
			switch {
			case e.known.Complete.Index > r.Invoke.Index:
				return true // no earlier read was invoked later
			case !e.shown:
				e.absent = r
				return true
			}
			return false
		})
		for _, v := range values {
			s.elements[s.places[v.Ident()]].shown = false
		}
	}
}

// tell sorts the elements by their fates.
func (s *fates) tell() {
	var visible, lost []time.Duration
	s.details.Elements = len(s.elements)
	for i := range s.elements {
		e := &s.elements[i]
		missed, seen := e.absent.Invoke != nil, e.present.Invoke != nil
		switch {
		case missed && (!seen || e.present.Invoke.Index < e.absent.Invoke.Index):
			s.details.Lost++
			lost = append(lost, e.absent.Invoke.Time-e.known.Complete.Time)
			s.found.add("lost", []fallacy.Call{e.add, e.known, e.present, e.absent},
				"%v was known from op %d on, and process %d's read, invoked after that, lacks it (op %d), and so do all later reads",
				e.value, opOf(e.known), e.absent.Invoke.Process, opOf(e.absent))
		case !seen:
			s.details.NeverRead++
		case missed:
			s.details.Stable++
			s.details.Stale++
			visible = append(visible, e.absent.Invoke.Time-e.known.Complete.Time)
			if s.linearizable {
				s.found.add("stale", []fallacy.Call{e.add, e.known, e.absent},
					"%v was known from op %d on, and process %d's read, invoked after that, lacks it (op %d); later reads have it",
					e.value, opOf(e.known), e.absent.Invoke.Process, opOf(e.absent))
			}
		default:
			s.details.Stable++
			visible = append(visible, 0)
		}
	}
	s.details.Visible, s.details.LostAfter = quantiles(visible), quantiles(lost)
}

func quantiles(all []time.Duration) *Latency {
	if len(all) == 0 {
		return nil
	}
	l := latencyOf(all)
	return &l
}
