package checkers

import (
	"context"

	"github.com/fallacy-dev/fallacy"
)

const sessionsDoc = `each process sees at least what it has seen and written

The four session guarantees, for registers by key with versions that grow: read
[k, null] completes with [k, [version, value]], write [k, v] with
[k, [version, v]]. A version may stand for the value too: [k, version]. A process is
a session.

  monotonic reads      violated if a read of a key shows a lower version than one
                       that the session had read before
  read your writes     if a read shows a lower version than that of a write that
                       the session had finished before
  monotonic writes     if a write gets no higher version than one that the session
                       had finished before
  writes follow reads  if a write gets no higher version than the session had
                       read before

What was read counts as nothing if it has no version, which is that of a key
without a value.

It asks key by key: that a write of one key follows a read of another is a matter
for the causal checker. It cannot see what calls of unknown outcome did.

Source: Terry and others, Session Guarantees for Weakly Consistent Replicated Data, 1994.`

// Sessions returns the checker of the four session guarantees.
func Sessions() *fallacy.Checker {
	return &fallacy.Checker{Name: "sessions", Doc: sessionsDoc, Check: checkSessions}
}

// stamp is a version that a session read or wrote.
type stamp struct {
	fallacy.Call
	version int
}

// session is what a process has seen and written of one key.
type session struct{ read, wrote stamp }

func checkSessions(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	var found evidence
	sessions := make(map[position]*session)
	examined, judged := 0, 0
	for c := range h.Calls() {
		examined++
		key, _, ok := c.Invoke.Value.Tuple()
		if !ok || c.Invoke.F != "read" && c.Invoke.F != "write" {
			return fallacy.Finding{}, unexpected(c, "read or write of [key, value]")
		}
		if c.Type() != fallacy.OK {
			continue
		}
		_, out, _ := c.Value().Tuple()
		version, isInt := versionIn(out)
		if !isInt && !out.IsNil() {
			return fallacy.Finding{}, unexpected(c, "[key, [version, value]]")
		}
		judged++
		at := position{c.Invoke.Process, key.Ident()}
		s := sessions[at]
		if s == nil {
			s = new(session)
			sessions[at] = s
		}
		s.judge(&found, key, stamp{c, version})
	}
	details := map[string]any{"calls": judged, "anomalies": found.totals}
	return unless(found.finding(examined, details), judged > 0, "no read or write succeeded"), ctx.Err()
}

// versionIn returns the version in [version, value], or the version itself.
func versionIn(v fallacy.Value) (version int, ok bool) {
	if first, _, isPair := v.Tuple(); isPair {
		v = first
	}
	return v.Int()
}

// judge holds a call against the session so far, and adds it.
func (s *session) judge(found *evidence, key fallacy.Value, c stamp) {
	least := c.version // that must not be reached before
	if c.Invoke.F == "read" {
		least++
	}
	for _, rule := range []struct {
		name, f string
		before  stamp
	}{
		{"monotonic reads", "read", s.read},
		{"read your writes", "read", s.wrote},
		{"monotonic writes", "write", s.wrote},
		{"writes follow reads", "write", s.read},
	} {
		if before := rule.before; rule.f == c.Invoke.F && before.Invoke != nil && before.version >= least {
			found.add(rule.name, []fallacy.Call{before.Call, c.Call}, "key %v: process %d's %s has version %d (op %d), after its %s with version %d (op %d)",
				key, c.Invoke.Process, c.Invoke.F, c.version, opOf(c.Call), before.Invoke.F, before.version, opOf(before.Call))
		}
	}
	last := pickStamp(c.Invoke.F == "read", &s.read, &s.wrote)
	if last.Invoke == nil || c.version > last.version {
		*last = c
	}
}

func pickStamp(first bool, a, b *stamp) *stamp {
	if first {
		return a
	}
	return b
}
