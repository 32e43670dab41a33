package checkers

import (
	"context"
	"fmt"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

const queueDoc = `what is enqueued comes out once, in order

For a FIFO queue of unique elements, with enqueue and dequeue; a dequeue that
fails with the error "empty" says that the queue was empty:

  phantom      an element was dequeued that nobody had tried to enqueue, or
               whose every enqueue failed
  duplicate    an element was dequeued more often than it was enqueued
  reordered    an element was enqueued before another was, and dequeued after it,
               in real time both
  lost         an element whose enqueue was acknowledged never came out, although
               one that was enqueued after it did, or a dequeue invoked after that
               found the queue empty; as many such elements are forgiven as
               dequeues of unknown outcome can have taken
  false empty  a dequeue found the queue empty in a time in which there was
               always some element in it that was dequeued only later

If elements are unique and nothing is found, the history is linearizable.
It cannot see that the last elements are lost without a final drain, dequeues
until the queue is empty. Elements enqueued twice are left out of lost and reordered.

Source: Jepsen's total-queue checker; Gibbons, Bruno and Phillips, 2002, and
Abdulla and others, Efficient Linearizability Monitoring, PLDI 2025.`

// Queue returns the checker of a FIFO queue: enqueue and dequeue.
func Queue() *fallacy.Checker {
	return &fallacy.Checker{Name: "queue", Doc: queueDoc, Check: checkQueue}
}

// item is an element of the queue with the calls that moved it.
type item struct {
	value  fallacy.Value
	in     fallacy.Call // the enqueue that did not fail, or else the first that did
	tries  int          // enqueues that did not fail
	out    fallacy.Call // the first dequeue
	outs   int          // dequeues
	again  fallacy.Call // the last dequeue after the first
	surely int          // since when it certainly is in the queue or has been; never
}

// unique tells whether the item went in once and came out at most once.
func (it *item) unique() bool { return it.tries == 1 && it.outs <= 1 }

// leaves is the earliest time at which it can have been dequeued; never if no
// known dequeue took it.
func (it *item) leaves() int {
	if it.outs == 0 {
		return never
	}
	return it.out.Invoke.Index
}

// queueHistory is a history of one queue.
type queueHistory struct {
	places   map[fallacy.Ident]int
	items    []item
	empties  []fallacy.Call // dequeues that found nothing
	unknown  []fallacy.Call // dequeues whose outcome is not known
	examined int
	dequeued int // dequeues answered with an element
	found    evidence
}

func checkQueue(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	q := queueHistory{places: make(map[fallacy.Ident]int)}
	for c := range h.Calls() {
		q.examined++
		switch c.Invoke.F {
		case "enqueue":
			q.enqueue(c)
		case "dequeue":
			q.dequeue(c)
		default:
			return fallacy.Finding{}, unexpected(c, "enqueue or dequeue")
		}
	}
	for i := range q.items {
		q.items[i].settle()
	}
	q.reportPhantoms()
	q.reportDuplicates()
	items := q.certain()
	reportReordered(&q.found, items)
	q.reportLost(items)
	q.reportFalseEmpties(items)
	details := map[string]any{
		"elements":           len(q.items),
		"empty dequeues":     len(q.empties),
		"dequeues in doubt":  len(q.unknown),
		"anomalies":          q.found.totals,
		"elements remaining": q.remaining(),
	}
	finding := q.found.finding(q.examined, details)
	if finding.Verdict == fallacy.Valid && q.dequeued == 0 && len(q.empties) == 0 {
		finding.Verdict, finding.Reason = fallacy.Unknown, "no dequeue was answered"
	}
	return finding, ctx.Err()
}

func (q *queueHistory) item(v fallacy.Value) *item {
	id := v.Ident()
	at, ok := q.places[id]
	if !ok {
		at = len(q.items)
		q.places[id] = at
		q.items = append(q.items, item{value: v})
	}
	return &q.items[at]
}

func (q *queueHistory) enqueue(c fallacy.Call) {
	it := q.item(c.Invoke.Value)
	if c.Type() == fallacy.Fail {
		if it.in.Invoke == nil {
			it.in = c
		}
		return
	}
	if it.tries == 0 {
		it.in = c
	}
	it.tries++
}

func (q *queueHistory) dequeue(c fallacy.Call) {
	switch c.Type() {
	case fallacy.OK:
		q.dequeued++
		it := q.item(c.Value())
		if it.outs++; it.outs == 1 {
			it.out = c
		} else {
			it.again = c
		}
	case fallacy.Info:
		q.unknown = append(q.unknown, c)
	case fallacy.Fail:
		if c.Complete.Error == "empty" || strings.HasPrefix(c.Complete.Error, "empty:") {
			q.empties = append(q.empties, c)
		}
	}
}

// settle finds out since when the item has been in the queue: what came out had
// gone in before that.
func (it *item) settle() {
	it.surely = never
	if it.tries > 0 {
		it.surely = endOf(it.in)
	}
	if it.outs > 0 {
		it.surely = min(it.surely, it.out.Complete.Index)
	}
}

// certain returns the items that went in, once, and came out at most once. An
// enqueue of unknown outcome whose element never came out need not have happened.
func (q *queueHistory) certain() []*item {
	var items []*item
	for i := range q.items {
		if it := &q.items[i]; it.unique() && it.surely != never && !it.phantom() {
			items = append(items, it)
		}
	}
	return items
}

// phantom tells whether the item came out before anybody tried to put it in.
func (it *item) phantom() bool {
	return it.outs > 0 && (it.tries == 0 || it.out.Complete.Index < it.in.Invoke.Index)
}

func (q *queueHistory) reportPhantoms() {
	for i := range q.items {
		it := &q.items[i]
		if !it.phantom() {
			continue
		}
		c := it.out
		switch {
		case it.in.Invoke == nil:
			q.found.add("phantom", []fallacy.Call{c}, "process %d dequeued %v (op %d), which nobody ever enqueued",
				c.Invoke.Process, it.value, opOf(c))
		case it.tries == 0:
			q.found.add("phantom", []fallacy.Call{it.in, c}, "process %d dequeued %v (op %d), although process %d's enqueue of it had failed (op %d)",
				c.Invoke.Process, it.value, opOf(c), it.in.Invoke.Process, opOf(it.in))
		default:
			q.found.add("phantom", []fallacy.Call{it.in, c}, "process %d dequeued %v (op %d) before process %d invoked the enqueue of it (op %d)",
				c.Invoke.Process, it.value, opOf(c), it.in.Invoke.Process, it.in.Invoke.Index)
		}
	}
}

func (q *queueHistory) reportDuplicates() {
	for i := range q.items {
		it := &q.items[i]
		if it.outs > max(1, it.tries) {
			q.found.add("duplicate", []fallacy.Call{it.in, it.out, it.again},
				"%v was enqueued %s and dequeued %d times, by process %d (op %d) and by process %d (op %d)",
				it.value, times(it.tries), it.outs, it.out.Invoke.Process, opOf(it.out), it.again.Invoke.Process, opOf(it.again))
		}
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func (q *queueHistory) remaining() int {
	n := 0
	for i := range q.items {
		if it := &q.items[i]; it.outs == 0 && it.tries > 0 && it.in.Type() == fallacy.OK {
			n++
		}
	}
	return n
}
