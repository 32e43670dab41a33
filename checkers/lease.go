package checkers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

const leaseDoc = `a key is there as long as its lease, and gone for good afterwards

For keys that live as long as a lease, a new key for each. grant [n, ttl] makes the
lease n and its key, and completes with [n, ttl], as it was granted, in milliseconds;
keepalive [n, null] completes with [n, ttl], which is 0 if there is no such lease;
revoke [n, null] ends it; read, of all keys at once, completes with the numbers of
the leases whose keys are there.

  early expiry   a key was gone, and nobody had revoked its lease, before the time was
                 over that a grant or keepalive had given it
  undead key     a key was there although a revoke of its lease had been acknowledged
  undead lease   a lease was kept alive although a revoke of it had been acknowledged,
                 or its key had been seen to be gone
  resurrected    a key was there again after it had been seen to be gone
  phantom        a key was there and nobody had granted its lease, or that had failed
  never expired  a key was there 10 seconds and the time of its lease after the lease
                 had last been kept alive, the last fault had been healed, and the
                 system had answered

The time counts from the invocation of the grant or keepalive, by the controller's
monotonic clock; of clocks on other machines it is believed that they differ by less
than 1 %. That a key goes late is no anomaly: a new leader may give every lease its
full time once more. How late keys were seen is in the details. Leases of which a
grant or keepalive has an unknown outcome may go on for ever.

Source: etcd's lease API; C. Gray and D. Cheriton, Leases, 1989; the order in time
is one pass over the history.`

// Lease returns the checker of keys with leases: grant, keepalive, revoke and read.
func Lease() *fallacy.Checker {
	return &fallacy.Checker{Name: "lease", Doc: leaseDoc, Check: checkLease}
}

// LeaseOver is for how long a key may outlive the time of its lease in a system that
// nothing disturbs: a change of leaders that nobody asked for, and some seconds.
const LeaseOver = 10 * time.Second

// leaseTrust is the share of a lease's time that a clock on another machine measures
// for certain.
const leaseTrust = 0.99

// extension is an acknowledged grant or keepalive, and the time that it gave.
type extension struct {
	fallacy.Call
	ttl time.Duration
}

// leased is all that is known of one lease.
type leased struct {
	n          int
	grant      fallacy.Call
	extensions []extension
	doubt      bool         // it may have been granted or kept alive without our knowing
	ended      int          // index since which it may have been revoked
	revoked    fallacy.Call // acknowledged first
	since      int          // index since which the key was there for certain
	gone       fallacy.Call // that found the key gone first
	seen       fallacy.Call // the last read that saw the key
	told       bool         // that its key is there and must not be
}

type leaseHistory struct {
	leases map[int]*leased
	order  []*leased
	looks  []fallacy.Call // all that was acknowledged
	alive  []*leased      // whose keys were there and not yet seen to be gone
	found  evidence
	calm   int           // index of the last fault's end
	serves time.Duration // when something had been answered since then; less than 0: never
	judged int           // leases whose keys were looked at
	late   int
	latest time.Duration
}

func checkLease(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	l := leaseHistory{leases: make(map[int]*leased), calm: calmOf(h), serves: -1}
	examined := 0
	for c := range h.Calls() {
		examined++
		if err := l.add(c); err != nil {
			return fallacy.Finding{}, err
		}
	}
	slices.SortFunc(l.looks, func(a, b fallacy.Call) int { return cmp.Compare(a.Complete.Index, b.Complete.Index) })
	for _, c := range l.looks {
		if err := l.look(c); err != nil {
			return fallacy.Finding{}, err
		}
	}
	expired, revoked := 0, 0
	for _, one := range l.order {
		l.reportUndead(one)
		l.reportLate(one)
		switch {
		case one.revoked.Invoke != nil:
			revoked++
		case one.gone.Invoke != nil:
			expired++
		}
	}
	details := map[string]any{
		"leases": len(l.order), "expired": expired, "revoked": revoked, "anomalies": l.found.totals,
		"seen late": l.late, "latest_s": l.latest.Seconds(),
	}
	return unless(l.found.finding(examined, details), l.judged > 0, "no key with a lease was looked at"), ctx.Err()
}

// calmOf is the index behind which no fault is in force; never if one was not seen
// to be healed.
func calmOf(h fallacy.History) int {
	last, open := -1, make(map[string]bool)
	for c := range h.Faults() {
		healed := c.Invoke.F == "heal" && c.Complete != nil && c.Complete.Error == ""
		if open[c.Invoke.Nemesis] = !healed; c.Complete != nil {
			last = max(last, c.Complete.Index)
		}
	}
	for _, inForce := range open {
		if inForce {
			return never
		}
	}
	return last
}

func (l *leaseHistory) lease(n int) *leased {
	one := l.leases[n]
	if one == nil {
		one = &leased{n: n, ended: never, since: never}
		l.leases[n] = one
		l.order = append(l.order, one)
	}
	return one
}

// add takes in a call; those that were acknowledged are looked at in their turn.
func (l *leaseHistory) add(c fallacy.Call) error {
	f, ok := c.Invoke.F, c.Type() == fallacy.OK
	if ok {
		l.looks = append(l.looks, c)
	}
	if f == "read" {
		return nil
	}
	number, _, _ := c.Invoke.Value.Tuple()
	n, isInt := number.Int()
	if !isInt || f != "grant" && f != "keepalive" && f != "revoke" {
		return unexpected(c, "grant, keepalive or revoke of [lease, …], or read")
	}
	one := l.lease(n)
	switch {
	case f == "grant" && one.grant.Invoke != nil:
		return fmt.Errorf("op %d: lease %d is granted again: each has a number of its own", c.Invoke.Index, n)
	case f == "grant":
		one.grant = c
	case f == "revoke" && c.Type() != fallacy.Fail:
		one.ended = min(one.ended, c.Invoke.Index)
	}
	one.doubt = one.doubt || c.Type() == fallacy.Info && f != "revoke"
	if !ok || f == "revoke" {
		return nil
	}
	_, given, _ := c.Value().Tuple()
	ms, isInt := given.Int()
	if !isInt || ms < 0 {
		return unexpected(c, "[lease, milliseconds]")
	}
	if ms > 0 || f == "grant" {
		one.extensions = append(one.extensions, extension{c, time.Duration(ms) * time.Millisecond})
	}
	return nil
}

// look learns from an acknowledged call what is there and what is not.
func (l *leaseHistory) look(c fallacy.Call) error {
	if c.Invoke.Index > l.calm && l.serves < 0 {
		l.serves = c.Complete.Time
	}
	if c.Invoke.F == "read" {
		return l.read(c)
	}
	number, _, _ := c.Invoke.Value.Tuple()
	n, _ := number.Int()
	one := l.leases[n]
	switch c.Invoke.F {
	case "grant":
		l.there(one, c)
	case "revoke":
		if one.revoked.Invoke == nil {
			one.revoked = c
		}
	case "keepalive":
		if _, ms, _ := c.Value().Tuple(); !ms.Equal(fallacy.Int(0)) {
			return nil
		}
		l.alive = slices.DeleteFunc(l.alive, func(o *leased) bool { return o == one && l.isGone(o, c) })
	}
	return nil
}

// read goes through the keys that were there, and those that should have been.
func (l *leaseHistory) read(c fallacy.Call) error {
	numbers, ok := c.Value().Ints()
	if !ok && !c.Value().IsNil() {
		return unexpected(c, "the numbers of leases")
	}
	there := make(map[int]bool, len(numbers))
	for _, n := range numbers {
		there[n] = true
	}
	l.alive = slices.DeleteFunc(l.alive, func(o *leased) bool { return !there[o.n] && l.isGone(o, c) })
	for _, n := range numbers {
		l.sees(l.lease(n), c)
	}
	return nil
}

// there notes that a key was there when c completed.
func (l *leaseHistory) there(one *leased, c fallacy.Call) {
	if one.since == never && one.gone.Invoke == nil {
		one.since = c.Complete.Index
		l.alive = append(l.alive, one)
	}
}

// isGone tells whether a call that did not find a key proves that it was gone.
func (l *leaseHistory) isGone(one *leased, c fallacy.Call) bool {
	if c.Invoke.Index < one.since {
		return false
	}
	one.gone = c
	l.judged++
	if one.ended < c.Complete.Index {
		return true
	}
	last, due := extension{}, time.Duration(0)
	for _, e := range one.extensions {
		until := e.Invoke.Time + time.Duration(leaseTrust*float64(e.ttl))
		if e.Invoke.Index < c.Complete.Index && until > due {
			last, due = e, until
		}
	}
	if c.Complete.Time < due {
		l.found.add("early expiry", []fallacy.Call{one.grant, last.Call, c}, "the key of lease %d was gone when process %d's %s ended (op %d), %v after process %d had asked for the %s (op %d) that gave it %v",
			one.n, c.Invoke.Process, c.Invoke.F, opOf(c), c.Complete.Time-last.Invoke.Time, last.Invoke.Process, last.Invoke.F, last.Invoke.Index, last.ttl)
	}
	return true
}

// sees judges that a key was there.
func (l *leaseHistory) sees(one *leased, c fallacy.Call) {
	l.judged++
	if one.seen.Invoke == nil || c.Invoke.Index > one.seen.Invoke.Index {
		one.seen = c
	}
	if one.told {
		return
	}
	text := fmt.Sprintf("the key of lease %d was there for process %d's read (op %d)", one.n, c.Invoke.Process, opOf(c))
	one.told = true
	switch g := one.grant; {
	case g.Invoke == nil || g.Invoke.Index > c.Complete.Index:
		l.found.add("phantom", []fallacy.Call{c}, "%s, and nobody had granted it", text)
	case g.Type() == fallacy.Fail:
		l.found.add("phantom", []fallacy.Call{g, c}, "%s, whose grant had failed (op %d)", text, opOf(g))
	case one.revoked.Invoke != nil && one.revoked.Complete.Index < c.Invoke.Index:
		l.found.add("undead key", []fallacy.Call{g, one.revoked, c}, "%s, and process %d's revoke of it had been acknowledged (op %d)", text, one.revoked.Invoke.Process, opOf(one.revoked))
	case one.gone.Invoke != nil && one.gone.Complete.Index < c.Invoke.Index:
		l.found.add("resurrected", []fallacy.Call{g, one.gone, c}, "%s, and had been gone for process %d's %s (op %d)", text, one.gone.Invoke.Process, one.gone.Invoke.F, opOf(one.gone))
	default:
		one.told = false
		l.there(one, c)
	}
}

// reportUndead finds a keepalive that came too late and was acknowledged.
func (l *leaseHistory) reportUndead(one *leased) {
	for _, end := range []struct {
		call fallacy.Call
		how  string
	}{{one.revoked, "been revoked"}, {one.gone, "been seen to be gone"}} {
		if end.call.Invoke == nil {
			continue
		}
		for _, e := range one.extensions {
			if e.Invoke.F == "keepalive" && e.Invoke.Index > end.call.Complete.Index {
				l.found.add("undead lease", []fallacy.Call{one.grant, end.call, e.Call}, "process %d kept lease %d alive (op %d) after it had %s (op %d)",
					e.Invoke.Process, one.n, opOf(e.Call), end.how, opOf(end.call))
				return
			}
		}
	}
}

// reportLate finds out how long after its time a key was seen, and whether that
// was too long.
func (l *leaseHistory) reportLate(one *leased) {
	if one.seen.Invoke == nil || one.doubt || one.told || len(one.extensions) == 0 {
		return
	}
	last, due := extension{}, time.Duration(0)
	for _, e := range one.extensions {
		if until := e.Complete.Time + e.ttl; until > due {
			last, due = e, until
		}
	}
	if after := one.seen.Invoke.Time - due; after > 0 {
		l.late++
		l.latest = max(l.latest, after)
	}
	if l.serves < 0 || one.seen.Invoke.Index < l.calm {
		return
	}
	if after := one.seen.Invoke.Time - max(due, l.serves+last.ttl); after > LeaseOver {
		l.found.add("never expired", []fallacy.Call{one.grant, last.Call, one.seen}, "the key of lease %d was still there for process %d's read (op %d), %v after the time of the lease, which was %v and last kept alive by op %d, and after all had been well again",
			one.n, one.seen.Invoke.Process, opOf(one.seen), after, last.ttl, opOf(last.Call))
	}
}
