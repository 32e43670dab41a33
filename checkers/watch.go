package checkers

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const watchDoc = `a watch delivers every event, once, in order, from where it began

For stores with revisions: write [k, v] completes with [k, [revision, v]]; watch,
whose value is the revision to begin from, or nil to go on with the process's
watch, completes with events [[revision, key, value], …] in the order of their
delivery. An event [revision, null, null] is a bookmark: all up to that revision was
delivered. watch r begins with events of revision r and later.

  unordered         an event has a lower revision than the one before it
  not unique        a key's event of one revision was delivered twice
  not atomic        events of one revision were delivered in two answers
  not resumable     an event is from before the revision to begin from, or the watch
                    was told of a compaction to a revision that it had come to
  not reliable      an acknowledged write, or an event that another watch delivered,
                    is missing, although the watch delivered a later event
  not bookmarkable  after a bookmark came an event that it covers, or one is
                    missing that it covers
  wrong event       an event shows another value than was written at its revision,
                    or than another watch delivered

It cannot see what is missing after a watch's last event: have a last write, or a
bookmark, that all watches wait for. It takes every watch to be of all keys.

Source: etcd's API guarantees, and its robustness tests, which ask for these:
ordered, unique, atomic, reliable, resumable, bookmarkable.`

// Watch returns the checker of what watches deliver: write and watch.
func Watch() *fallacy.Checker {
	return &fallacy.Checker{Name: "watch", Doc: watchDoc, Check: checkWatch}
}

// event is a change of a key, as a call shows it.
type event struct {
	fallacy.Call
	revision int
	key      fallacy.Value
	value    fallacy.Value
}

// eventID tells events apart.
type eventID struct {
	revision int
	key      fallacy.Ident
}

func (e *event) id() eventID    { return eventID{e.revision, e.key.Ident()} }
func (e *event) bookmark() bool { return e.key.IsNil() }

// Compacted is in the place of an event's value when all before its revision was
// discarded before the watch had come to it.
const Compacted = "compacted"

func (e *event) compacted() bool {
	text, _ := e.value.Str()
	return e.bookmark() && text == Compacted
}

// stream is a watch from where it began, or was told to go on, to where its process
// began another.
type stream struct {
	from   int
	events []event
}

// next is the first revision that the stream may still lack.
func (s *stream) next() int {
	next := s.from
	for _, e := range s.events {
		next = max(next, e.revision+1)
	}
	return next
}

type watchHistory struct {
	known   map[eventID]event // what happened, by whoever told first
	order   []event           // the same, by revision in the end
	streams []*stream
	open    map[int]*stream // by process
	events  int
	found   evidence
}

func checkWatch(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	w := watchHistory{known: make(map[eventID]event), open: make(map[int]*stream)}
	examined := 0
	for c := range h.Calls() {
		examined++
		var err error
		switch c.Invoke.F {
		case "write":
			err = w.write(c)
		case "watch":
			err = w.watch(c)
		default:
			err = unexpected(c, "write or watch")
		}
		if err != nil {
			return fallacy.Finding{}, err
		}
	}
	slices.SortStableFunc(w.order, func(a, b event) int { return cmp.Compare(a.revision, b.revision) })
	for _, s := range w.streams {
		w.judge(s)
		w.judgeGaps(s)
	}
	details := map[string]any{"watches": len(w.streams), "events": w.events, "anomalies": w.found.totals}
	return unless(w.found.finding(examined, details), w.events > 0, "no watch delivered anything"), ctx.Err()
}

func (w *watchHistory) write(c fallacy.Call) error {
	if c.Type() != fallacy.OK {
		return nil
	}
	key, out, _ := c.Value().Tuple()
	revision, value, ok := out.Tuple()
	n, isInt := revision.Int()
	if !ok || !isInt {
		return unexpected(c, "[key, [revision, value]]")
	}
	w.note(event{c, n, key, value})
	return nil
}

// note holds an event against what is known of it.
func (w *watchHistory) note(e event) {
	first, ok := w.known[e.id()]
	if !ok {
		w.known[e.id()] = e
		w.order = append(w.order, e)
		return
	}
	if !first.value.Equal(e.value) {
		w.found.add("wrong event", []fallacy.Call{first.Call, e.Call}, "key %v has %v at revision %d by process %d's %s (op %d), and %v by process %d's %s (op %d)",
			e.key, first.value, e.revision, first.Invoke.Process, first.Invoke.F, opOf(first.Call), e.value, e.Invoke.Process, e.Invoke.F, opOf(e.Call))
	}
}

func (w *watchHistory) watch(c fallacy.Call) error {
	s := w.open[c.Invoke.Process]
	if from, ok := c.Invoke.Value.Int(); ok || s == nil {
		s = &stream{from: from}
		w.open[c.Invoke.Process] = s
		w.streams = append(w.streams, s)
	}
	if c.Type() != fallacy.OK {
		return nil
	}
	events, ok := c.Value().List()
	if !ok && !c.Value().IsNil() {
		return unexpected(c, "[[revision, key, value], …]")
	}
	for _, v := range events {
		parts, _ := v.List()
		if len(parts) != 3 {
			return unexpected(c, "[[revision, key, value], …]")
		}
		n, isInt := parts[0].Int()
		if !isInt {
			return unexpected(c, "[[revision, key, value], …]")
		}
		e := event{c, n, parts[1], parts[2]}
		if e.compacted() {
			s = w.skip(s, e)
			continue
		}
		s.events = append(s.events, e)
		if w.events++; !e.bookmark() {
			w.note(e)
		}
	}
	return nil
}

// skip begins a stream where a watch was told to go on. What the one before lacks
// behind its last event nobody asks for any more.
func (w *watchHistory) skip(s *stream, e event) *stream {
	if next := s.next(); e.revision <= next {
		w.found.add("not resumable", []fallacy.Call{e.Call}, "process %d's watch from revision %d was told that all before revision %d had been discarded (op %d), and needed nothing before revision %d",
			e.Invoke.Process, s.from, e.revision, opOf(e.Call), next)
	}
	on := &stream{from: e.revision}
	w.open[e.Invoke.Process] = on
	w.streams = append(w.streams, on)
	return on
}

// judge goes through a watch's events in the order of their delivery.
func (w *watchHistory) judge(s *stream) {
	seen := make(map[eventID]event)
	var before, bookmark event
	for _, e := range s.events {
		text := fmt.Sprintf("process %d's watch from revision %d delivered revision %d of key %v (op %d)",
			e.Invoke.Process, s.from, e.revision, e.key, opOf(e.Call))
		switch first, again := seen[e.id()]; {
		case e.bookmark():
			bookmark = e
			continue
		case again:
			w.found.add("not unique", []fallacy.Call{first.Call, e.Call}, "%s, which it had delivered before (op %d)", text, opOf(first.Call))
		case e.revision < s.from:
			w.found.add("not resumable", []fallacy.Call{e.Call}, "%s, which is from before it began", text)
		case bookmark.Invoke != nil && e.revision <= bookmark.revision:
			w.found.add("not bookmarkable", []fallacy.Call{bookmark.Call, e.Call}, "%s, after the bookmark of revision %d (op %d)", text, bookmark.revision, opOf(bookmark.Call))
		case before.Invoke != nil && e.revision < before.revision:
			w.found.add("unordered", []fallacy.Call{before.Call, e.Call}, "%s, after revision %d (op %d)", text, before.revision, opOf(before.Call))
		case before.Invoke != nil && e.revision == before.revision && e.Invoke != before.Invoke:
			w.found.add("not atomic", []fallacy.Call{before.Call, e.Call}, "%s, and another event of that revision in an answer before (op %d)", text, opOf(before.Call))
		}
		seen[e.id()], before = e, e
	}
}

// judgeGaps finds what happened between a watch's beginning and its last event or
// bookmark, and was not delivered.
func (w *watchHistory) judgeGaps(s *stream) {
	seen := make(map[eventID]bool)
	var last, bookmark event
	for _, e := range s.events {
		switch {
		case e.bookmark() && (bookmark.Invoke == nil || e.revision > bookmark.revision):
			bookmark = e
		case !e.bookmark() && (last.Invoke == nil || e.revision > last.revision):
			last = e
		}
		seen[e.id()] = true
	}
	from, _ := slices.BinarySearchFunc(w.order, s.from, func(e event, revision int) int { return cmp.Compare(e.revision, revision) })
	for _, e := range w.order[from:] {
		byLast := last.Invoke != nil && e.revision < last.revision
		byBookmark := bookmark.Invoke != nil && e.revision <= bookmark.revision
		if !byLast && !byBookmark {
			break
		}
		if seen[e.id()] {
			continue
		}
		name, later := "not reliable", last
		if !byLast {
			name, later = "not bookmarkable", bookmark
		}
		w.found.add(name, []fallacy.Call{e.Call, later.Call}, "process %d's watch from revision %d lacks revision %d of key %v (op %d), and delivered revision %d (op %d)",
			later.Invoke.Process, s.from, e.revision, e.key, opOf(e.Call), later.revision, opOf(later.Call))
	}
}
