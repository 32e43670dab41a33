package checkers

import (
	"context"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

const totalQueueDoc = `what goes into the queue comes out, once, in whatever order

For queues that promise no order, with enqueue of one element, dequeue of one and
drain of all that is left, as a list; a dequeue that fails with the error "empty"
found nothing:

  lost        an element whose enqueue was acknowledged never came out, although
              the queue was drained: by a drain, or by a dequeue that found it
              empty, that was invoked after the last enqueue had ended
  unexpected  an element came out that nobody had tried to enqueue
  duplicated  an element came out more often than it was enqueued

Dequeues and drains of unknown outcome may have taken elements: each such dequeue
is forgiven one lost element, and a drain all. Without a drain what is missing
proves nothing, and the verdict is unknown.

The details count what was recovered: elements that came out although nobody knew
whether they had gone in.

Source: Jepsen's total-queue checker.`

// TotalQueue returns the checker of a queue without order.
func TotalQueue() *fallacy.Checker {
	return &fallacy.Checker{Name: "total-queue", Doc: totalQueueDoc, Check: checkTotalQueue}
}

// parcel is an element with how often it went in and came out.
type parcel struct {
	value       fallacy.Value
	tries, acks int
	outs        int
	in, out     fallacy.Call // the last of each
}

type totals struct {
	places   map[fallacy.Ident]int
	parcels  []parcel
	lastIn   int          // when the last enqueue that ended had ended
	drained  fallacy.Call // the last call that found nothing more
	forgiven int
	found    evidence
}

func checkTotalQueue(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	q := totals{places: make(map[fallacy.Ident]int)}
	examined := 0
	for c := range h.Calls() {
		examined++
		switch c.Invoke.F {
		case "enqueue":
			q.enqueue(c)
		case "dequeue":
			q.dequeue(c)
		case "drain":
			if err := q.drain(c); err != nil {
				return fallacy.Finding{}, err
			}
		default:
			return fallacy.Finding{}, unexpected(c, "enqueue, dequeue or drain")
		}
	}
	missing := q.report()
	finding := q.found.finding(examined, q.details())
	return unless(finding, missing == 0, "elements are missing, but the queue was not drained after the last enqueue"), ctx.Err()
}

func (q *totals) parcel(v fallacy.Value) *parcel {
	id := v.Ident()
	at, ok := q.places[id]
	if !ok {
		at = len(q.parcels)
		q.places[id] = at
		q.parcels = append(q.parcels, parcel{value: v})
	}
	return &q.parcels[at]
}

func (q *totals) enqueue(c fallacy.Call) {
	p := q.parcel(c.Invoke.Value)
	p.in = c
	if c.Type() != fallacy.Fail {
		p.tries++
	}
	if c.Type() == fallacy.OK {
		p.acks++
	}
	q.lastIn = max(q.lastIn, opOf(c))
}

func (q *totals) took(v fallacy.Value, c fallacy.Call) {
	p := q.parcel(v)
	p.outs++
	p.out = c
}

func (q *totals) dequeue(c fallacy.Call) {
	switch {
	case c.Type() == fallacy.OK:
		q.took(c.Value(), c)
	case c.Type() == fallacy.Info:
		q.forgiven++
	case c.Complete.Error == "empty" || strings.HasPrefix(c.Complete.Error, "empty:"):
		q.drained = c
	}
}

func (q *totals) drain(c fallacy.Call) error {
	switch c.Type() {
	case fallacy.OK:
		values, ok := c.Value().List()
		if !ok && !c.Value().IsNil() {
			return unexpected(c, "a list of elements")
		}
		for _, v := range values {
			q.took(v, c)
		}
		q.drained = c
	case fallacy.Info:
		q.forgiven = never
	}
	return nil
}

// report returns how many elements are missing of which nothing is proved.
func (q *totals) report() (missing int) {
	drained := q.drained.Invoke != nil && q.drained.Invoke.Index > q.lastIn
	for i := range q.parcels {
		p := &q.parcels[i]
		switch {
		case p.outs > 0 && p.tries == 0:
			q.found.add("unexpected", []fallacy.Call{p.in, p.out}, "process %d got %v (op %d), which nobody had enqueued",
				p.out.Invoke.Process, p.value, opOf(p.out))
		case p.outs > p.tries:
			q.found.add("duplicated", []fallacy.Call{p.in, p.out}, "%v was enqueued %s and came out %d times, at last by process %d (op %d)",
				p.value, times(p.tries), p.outs, p.out.Invoke.Process, opOf(p.out))
		case p.outs >= p.acks:
		case !drained:
			missing++
		case q.forgiven > 0:
			q.forgiven--
		default:
			q.found.add("lost", []fallacy.Call{p.in, q.drained}, "%v was enqueued by process %d (op %d) and never came out, and process %d found nothing more (op %d)",
				p.value, p.in.Invoke.Process, opOf(p.in), q.drained.Invoke.Process, opOf(q.drained))
		}
	}
	return missing
}

func (q *totals) details() map[string]any {
	recovered, out := 0, 0
	for _, p := range q.parcels {
		if out += p.outs; p.outs > p.acks && p.tries > p.acks {
			recovered++
		}
	}
	return map[string]any{"elements": len(q.parcels), "came out": out, "recovered": recovered, "anomalies": q.found.totals}
}
