package checkers

import (
	"cmp"
	"context"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

const leaderDoc = `each term has one leader, and terms only grow

For clusters that elect leaders, with leader, which asks a node and completes with
[term, leader]; leader is nil if the node knows of none.

  two leaders     two answers name different leaders for one term
  term went back  a node told a lower term than it had told before, in a call that
                  was invoked after that
  deposed leader  a node called itself the leader of a term in a call that was
                  invoked after another had told of a higher term: only asked if
                  there must be one leader at a time

That a deposed leader still believes in itself for a while is no anomaly in Raft
and its kin, as long as it can do no harm; it is where leases say who leads. The
second question needs to know which node was asked, the third that a leader has
its node's name.

It cannot see leaders that nobody asked about.

Source: Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm,
2014: election safety.`

// Leader returns the checker of elections that allows a deposed leader to err.
func Leader() *fallacy.Checker { return LeaderWith(false) }

// LeaderWith returns the checker of elections. If exclusive, there must be one
// leader at a time.
func LeaderWith(exclusive bool) *fallacy.Checker {
	return &fallacy.Checker{Name: "leader", Doc: leaderDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		return checkLeader(ctx, h, exclusive)
	}}
}

// told is an answer to who leads.
type told struct {
	fallacy.Call
	term   int
	leader fallacy.Value
}

func checkLeader(ctx context.Context, h fallacy.History, exclusive bool) (fallacy.Finding, error) {
	var found evidence
	var answers []told // by invocation
	leaders := make(map[int]told)
	examined := 0
	for c := range h.Calls() {
		examined++
		if c.Invoke.F != "leader" {
			return fallacy.Finding{}, unexpected(c, "leader")
		}
		if c.Type() != fallacy.OK {
			continue
		}
		term, leader, ok := c.Value().Tuple()
		n, isInt := term.Int()
		if !ok || !isInt {
			return fallacy.Finding{}, unexpected(c, "[term, leader]")
		}
		t := told{c, n, leader}
		answers = append(answers, t)
		if leader.IsNil() {
			continue
		}
		if first, ok := leaders[n]; !ok {
			leaders[n] = t
		} else if !first.leader.Equal(leader) {
			found.add("two leaders", []fallacy.Call{first.Call, c}, "term %d has leader %v by process %d's answer (op %d), and %v by process %d's (op %d)",
				n, first.leader, first.Invoke.Process, opOf(first.Call), leader, c.Invoke.Process, opOf(c))
		}
	}
	termsInOrder(&found, answers, exclusive)
	details := map[string]any{"answers": len(answers), "terms": len(leaders), "anomalies": found.totals}
	return unless(found.finding(examined, details), len(leaders) > 0, "nobody ever told of a leader"), ctx.Err()
}

// termsInOrder holds each answer against the highest term told before it was
// invoked, by its node and by anybody.
func termsInOrder(found *evidence, answers []told, exclusive bool) {
	ended := slices.SortedFunc(slices.Values(answers), func(a, b told) int { return cmp.Compare(a.Complete.Index, b.Complete.Index) })
	highest := make(map[string]told) // by node; "" is anybody's
	done := 0
	for _, t := range answers {
		for ; done < len(ended) && ended[done].Complete.Index < t.Invoke.Index; done++ {
			e := ended[done]
			for _, node := range []string{"", nodeOf(e.Call)} {
				if best := highest[node]; best.Invoke == nil || e.term > best.term {
					highest[node] = e
				}
			}
		}
		node := nodeOf(t.Call)
		name, _ := t.leader.Str()
		if before := highest[node]; node != "" && before.Invoke != nil && t.term < before.term {
			found.add("term went back", []fallacy.Call{before.Call, t.Call}, "node %s told of term %d (op %d), after it had told of term %d (op %d)",
				node, t.term, opOf(t.Call), before.term, opOf(before.Call))
		}
		if before := highest[""]; exclusive && node != "" && name == node && before.Invoke != nil && t.term < before.term {
			found.add("deposed leader", []fallacy.Call{before.Call, t.Call}, "node %s called itself leader of term %d (op %d), after term %d with leader %v had been told (op %d)",
				node, t.term, opOf(t.Call), before.term, before.leader, opOf(before.Call))
		}
	}
}
