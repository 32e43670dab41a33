package checkers

import (
	"cmp"
	"context"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const lockDoc = `fencing tokens only grow, and stale ones are refused

A lock whose leases expire cannot promise that only one process believes to hold
it. It promises this instead, and this is checked exactly:

  duplicate token       two acquisitions were granted one token
  token not increasing  an acquisition that was invoked after another had been
                        granted got a lower token
  stale token accepted  a guarded write was accepted although, before it was
                        invoked, a higher token had been granted, or a guarded
                        write with a higher token accepted

acquire "owner" completes with [owner, token], guard carries [token, value].

It cannot see a token granted to a call whose outcome is unknown, and it does
not ask for mutual exclusion in real time.

Source: M. Kleppmann, How to do distributed locking, 2016; the order of tokens is
one pass over the history.`

// Lock returns the checker of fencing tokens.
func Lock() *fallacy.Checker {
	return &fallacy.Checker{Name: "lock", Doc: lockDoc, Check: checkLock}
}

// fenced is an acquisition or a guarded write that was answered ok, with its token.
type fenced struct {
	fallacy.Call
	token int
}

func checkLock(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
	var calls []fenced
	examined := 0
	for c := range h.Calls() {
		examined++
		token, ok, err := tokenOf(c)
		if err != nil {
			return fallacy.Finding{}, err
		}
		if ok {
			calls = append(calls, fenced{c, token})
		}
	}
	var found evidence
	duplicateTokens(&found, calls)
	tokenOrder(&found, calls)
	n := granted(calls)
	finding := found.finding(examined, map[string]any{"granted": n, "writes": len(calls) - n, "anomalies": found.totals})
	if finding.Verdict == fallacy.Valid && len(calls) == 0 {
		finding.Verdict, finding.Reason = fallacy.Unknown, "no token was granted and no write accepted"
	}
	return finding, ctx.Err()
}

// tokenOf returns the token of an acquisition or guarded write that was answered
// ok; ok is false for every other call.
func tokenOf(c fallacy.Call) (token int, ok bool, err error) {
	f := c.Invoke.F
	if f != "acquire" && f != "release" && f != "guard" {
		return 0, false, unexpected(c, "acquire, release or guard")
	}
	if f == "release" || c.Type() != fallacy.OK {
		return 0, false, nil
	}
	first, second, isPair := c.Value().Tuple()
	if f == "acquire" {
		first = second
	}
	if token, ok = first.Int(); !ok || !isPair {
		return 0, false, unexpected(c, `acquire of ["owner", token] or guard of [token, value]`)
	}
	return token, true, nil
}

func granted(calls []fenced) int {
	n := 0
	for _, c := range calls {
		if c.Invoke.F == "acquire" {
			n++
		}
	}
	return n
}

func duplicateTokens(found *evidence, calls []fenced) {
	first := make(map[int]fenced)
	for _, c := range calls {
		if c.Invoke.F != "acquire" {
			continue
		}
		if f, ok := first[c.token]; ok {
			found.add("duplicate token", []fallacy.Call{f.Call, c.Call},
				"process %d (op %d) and process %d (op %d) were both granted token %d",
				f.Invoke.Process, opOf(f.Call), c.Invoke.Process, opOf(c.Call), c.token)
			continue
		}
		first[c.token] = c
	}
}

// tokenOrder holds each call against the highest token that any call had
// carried which had completed before it was invoked.
func tokenOrder(found *evidence, calls []fenced) {
	ended := slices.SortedFunc(slices.Values(calls), func(a, b fenced) int { return cmp.Compare(a.Complete.Index, b.Complete.Index) })
	var granted, used fenced // with the highest token so far
	done := 0
	for _, c := range calls { // by invocation
		for ; done < len(ended) && ended[done].Complete.Index < c.Invoke.Index; done++ {
			e := ended[done]
			if best := pick(e.Invoke.F == "acquire", &granted, &used); best.Invoke == nil || e.token > best.token {
				*best = e
			}
		}
		if c.Invoke.F == "acquire" {
			lowerToken(found, granted, c)
		} else {
			staleToken(found, granted, used, c)
		}
	}
}

func pick(first bool, a, b *fenced) *fenced {
	if first {
		return a
	}
	return b
}

func lowerToken(found *evidence, before, c fenced) {
	if before.Invoke == nil || before.token <= c.token {
		return
	}
	found.add("token not increasing", []fallacy.Call{before.Call, c.Call},
		"process %d was granted token %d (op %d) by an acquire that it invoked after process %d had been granted token %d (op %d)",
		c.Invoke.Process, c.token, opOf(c.Call), before.Invoke.Process, before.token, opOf(before.Call))
}

func staleToken(found *evidence, granted, used, c fenced) {
	before, did := granted, "been granted"
	if used.Invoke != nil && (granted.Invoke == nil || used.token >= granted.token) {
		before, did = used, "written with"
	}
	if before.Invoke == nil || before.token <= c.token {
		return
	}
	found.add("stale token accepted", []fallacy.Call{before.Call, c.Call},
		"process %d's write with token %d was accepted (op %d) although it was invoked after process %d had %s token %d (op %d)",
		c.Invoke.Process, c.token, opOf(c.Call), before.Invoke.Process, did, before.token, opOf(before.Call))
}
