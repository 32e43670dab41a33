package checkers

import (
	"context"
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const logDoc = `what is sent to a log is polled, once, in the order of its offsets

For logs by key, as Kafka's partitions are: send [k, v] completes with
[k, [offset, v]]; poll completes with [[k, [[offset, v], …]], …]; assign and
subscribe, whose value is not looked at, say that the process takes up new
positions. Values are unique per key.

  inconsistent offset  two values were seen at one offset of a key
  duplicate            a value was seen at two offsets
  phantom              a poll returned a value that nobody had sent, or whose
                       every send had failed
  lost                 a value whose send was acknowledged was never polled,
                       although somebody polled a later offset of the key
  nonmonotonic poll    a process polled an offset that is no higher than one that
                       it had polled before
  skipped              a process polled two offsets in a row, and somebody polled a
                       value between them which it never saw
  nonmonotonic send    a send was given a lower offset than one that the same
                       process had finished before

Offsets need not be without gaps: brokers use some themselves.

It cannot see that the end of a log is lost before anybody polls it, nor what
transactions ought to hide: for G0 and G1 use the checkers of transactions.

Source: Jepsen's kafka workload, whose lost-write, inconsistent-offsets, duplicate,
poll-skip, nonmonotonic-poll and nonmonotonic-send these are.`

// Log returns the checker of logs with offsets: send and poll.
func Log() *fallacy.Checker {
	return &fallacy.Checker{Name: "log", Doc: logDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		l := logHistory{keys: make(map[fallacy.Ident]*logKey), at: make(map[position]record)}
		return l.check(ctx, h)
	}}
}

// record is a value at an offset of a key, as a call saw it.
type record struct {
	fallacy.Call
	offset int
	value  fallacy.Value
}

// logKey is all that is known of one log.
type logKey struct {
	name   string
	at     map[int]record            // by offset: the first that was seen there
	values map[fallacy.Ident]record  // by value: where it was first seen
	sends  map[fallacy.Ident]sending // by value
	polled map[int]bool              // offsets
	order  []int                     // polled offsets, sorted in the end
	acked  []record                  // by sends
	last   fallacy.Call              // that polled the highest offset
	most   int                       // that offset
}

// sending is the sends of one value.
type sending struct {
	last  fallacy.Call
	tries int // that did not fail
}

// position is a process's place in a key's log, since it took it up.
type position struct {
	process int
	key     fallacy.Ident
}

// hop is two offsets that a process polled in a row.
type hop struct {
	key  *logKey
	a, b record
}

type logHistory struct {
	keys  map[fallacy.Ident]*logKey
	order []*logKey
	at    map[position]record
	sent  map[position]record
	hops  []hop
	polls int
	found evidence
}

func (l *logHistory) check(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	l.sent = make(map[position]record)
	examined := 0
	for c := range h.Calls() {
		examined++
		var err error
		switch c.Invoke.F {
		case "send":
			err = l.send(c)
		case "poll":
			err = l.poll(c)
		case "assign", "subscribe":
			for p := range l.at {
				if p.process == c.Invoke.Process {
					delete(l.at, p)
				}
			}
		default:
			err = unexpected(c, "send, poll, assign or subscribe")
		}
		if err != nil {
			return fallacy.Finding{}, err
		}
	}
	for _, k := range l.order {
		l.reportPhantoms(k)
		l.reportLost(k)
	}
	l.reportSkips()
	details := map[string]any{"keys": len(l.keys), "records polled": l.polls, "anomalies": l.found.totals}
	return unless(l.found.finding(examined, details), l.polls > 0, "nothing was polled"), ctx.Err()
}

func (l *logHistory) key(v fallacy.Value) *logKey {
	id := v.Ident()
	k := l.keys[id]
	if k == nil {
		k = &logKey{name: v.String(), at: make(map[int]record), values: make(map[fallacy.Ident]record), sends: make(map[fallacy.Ident]sending), polled: make(map[int]bool), most: -1}
		l.keys[id] = k
		l.order = append(l.order, k)
	}
	return k
}

func (l *logHistory) send(c fallacy.Call) error {
	key, v, ok := c.Invoke.Value.Tuple()
	if !ok {
		return unexpected(c, "[key, value]")
	}
	k := l.key(key)
	s := k.sends[v.Ident()]
	s.last = c
	if c.Type() != fallacy.Fail {
		s.tries++
	}
	k.sends[v.Ident()] = s
	if c.Type() != fallacy.OK {
		return nil
	}
	_, result, _ := c.Value().Tuple()
	offset, value, ok := result.Tuple()
	n, isInt := offset.Int()
	if !ok || !isInt {
		return unexpected(c, "[key, [offset, value]]")
	}
	r := record{c, n, value}
	k.acked = append(k.acked, r)
	l.note(k, r)
	at := position{c.Invoke.Process, key.Ident()}
	if before, ok := l.sent[at]; ok && before.offset >= n {
		l.found.add("nonmonotonic send", []fallacy.Call{before.Call, c}, "key %s: process %d sent %v to offset %d (op %d) after it had sent %v to offset %d (op %d)",
			k.name, c.Invoke.Process, value, n, opOf(c), before.value, before.offset, opOf(before.Call))
	}
	l.sent[at] = r
	return nil
}

func (l *logHistory) poll(c fallacy.Call) error {
	if c.Type() != fallacy.OK {
		return nil
	}
	keys, ok := c.Value().List()
	if !ok && !c.Value().IsNil() {
		return unexpected(c, "[[key, [[offset, value], …]], …]")
	}
	for _, pair := range keys {
		key, records, _ := pair.Tuple()
		all, ok := records.List()
		if !ok {
			return unexpected(c, "[[key, [[offset, value], …]], …]")
		}
		for _, one := range all {
			offset, value, _ := one.Tuple()
			n, isInt := offset.Int()
			if !isInt {
				return unexpected(c, "[[key, [[offset, value], …]], …]")
			}
			l.polled(key, record{c, n, value})
		}
	}
	return nil
}

// polled takes in a record that a poll returned.
func (l *logHistory) polled(key fallacy.Value, r record) {
	l.polls++
	k := l.key(key)
	l.note(k, r)
	if !k.polled[r.offset] {
		k.polled[r.offset] = true
		k.order = append(k.order, r.offset)
	}
	if r.offset > k.most {
		k.most, k.last = r.offset, r.Call
	}
	at := position{r.Invoke.Process, key.Ident()}
	before, ok := l.at[at]
	switch {
	case ok && r.offset <= before.offset:
		l.found.add("nonmonotonic poll", []fallacy.Call{before.Call, r.Call}, "key %s: process %d polled offset %d (op %d) after it had polled offset %d (op %d)",
			k.name, r.Invoke.Process, r.offset, opOf(r.Call), before.offset, opOf(before.Call))
	case ok && r.offset > before.offset+1:
		l.hops = append(l.hops, hop{k, before, r})
	}
	l.at[at] = r
}

// note holds a record against what was seen before at its offset, and of its value.
func (l *logHistory) note(k *logKey, r record) {
	if first, ok := k.at[r.offset]; !ok {
		k.at[r.offset] = r
	} else if !first.value.Equal(r.value) {
		l.found.add("inconsistent offset", []fallacy.Call{first.Call, r.Call}, "key %s has %v at offset %d by process %d's %s (op %d), and %v by process %d's %s (op %d)",
			k.name, first.value, r.offset, first.Invoke.Process, first.Invoke.F, opOf(first.Call), r.value, r.Invoke.Process, r.Invoke.F, opOf(r.Call))
	}
	id := r.value.Ident()
	if first, ok := k.values[id]; !ok {
		k.values[id] = r
	} else if first.offset != r.offset {
		l.found.add("duplicate", []fallacy.Call{first.Call, r.Call}, "key %s has %v at offset %d (op %d) and at offset %d (op %d)",
			k.name, r.value, first.offset, opOf(first.Call), r.offset, opOf(r.Call))
	}
}

func (l *logHistory) reportPhantoms(k *logKey) {
	for _, offset := range k.order {
		r := k.at[offset]
		s := k.sends[r.value.Ident()]
		why := "nobody had sent"
		switch {
		case s.tries > 0:
			continue
		case s.last.Invoke != nil:
			why = "had only been sent by calls that failed"
		}
		l.found.add("phantom", []fallacy.Call{s.last, r.Call}, "key %s: process %d found %v at offset %d (op %d), which %s",
			k.name, r.Invoke.Process, r.value, r.offset, opOf(r.Call), why)
	}
}

func (l *logHistory) reportLost(k *logKey) {
	for _, r := range k.acked {
		if r.offset >= k.most || k.polled[r.offset] {
			continue
		}
		l.found.add("lost", []fallacy.Call{r.Call, k.last}, "key %s: process %d sent %v to offset %d (op %d), and nobody ever polled it, although process %d polled offset %d (op %d)",
			k.name, r.Invoke.Process, r.value, r.offset, opOf(r.Call), k.last.Invoke.Process, k.most, opOf(k.last))
	}
}

// reportSkips finds the offsets that others polled between two that a process
// polled in a row.
func (l *logHistory) reportSkips() {
	for _, k := range l.order {
		slices.Sort(k.order)
	}
	for _, hop := range l.hops {
		i, _ := slices.BinarySearch(hop.key.order, hop.a.offset+1)
		if i == len(hop.key.order) || hop.key.order[i] >= hop.b.offset {
			continue
		}
		r := hop.key.at[hop.key.order[i]]
		how := ""
		if hop.a.Invoke != hop.b.Invoke {
			how = fmt.Sprintf(" (op %d)", opOf(hop.a.Call))
		}
		l.found.add("skipped", []fallacy.Call{hop.a.Call, r.Call, hop.b.Call}, "key %s: process %d polled offset %d%s and next offset %d (op %d), but %v is at offset %d (op %d)",
			hop.key.name, hop.b.Invoke.Process, hop.a.offset, how, hop.b.offset, opOf(hop.b.Call), r.value, r.offset, opOf(r.Call))
	}
}
