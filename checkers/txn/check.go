package txn

import (
	"context"
	"errors"
	"fmt"

	"github.com/fallacy-dev/fallacy"
)

// Details is what a finding of this package has in its details.
type Details struct {
	Transactions int            `json:"transactions"`
	Keys         int            `json:"keys"`
	Edges        int            `json:"edges"`               // of the graph, orders included
	Anomalies    map[string]int `json:"anomalies,omitempty"` // how many of each name, also those beyond what is reported
	Tolerated    map[string]int `json:"tolerated,omitempty"` // anomalies that what was asked for permits
	Models       Verdicts       `json:"models"`
}

// Verdicts is what a history says of the consistency models, by the names that
// people use. If the history is valid nothing is ruled out of what was asked for,
// and Not and AlsoNot are empty, as Elle has it; MayHold tells of what was seen.
type Verdicts struct {
	Requested []string `json:"requested"`
	Not       []string `json:"not"`      // the weakest models that are ruled out
	AlsoNot   []string `json:"also_not"` // all that are stronger than one of these
	MayHold   []string `json:"may_hold"` // nothing seen speaks against these
}

// check judges a history whose transactions write with the function isa.
func check(ctx context.Context, input fallacy.History, isa string, o Options) (fallacy.Finding, error) {
	r, err := o.rules()
	if err != nil {
		return fallacy.Finding{}, err
	}
	h, err := load(input, isa, r)
	var g *graph
	empty := false
	if err == nil {
		g, empty, err = h.look(ctx)
	}
	if why := unfit(""); errors.As(err, &why) {
		return fallacy.Finding{Reason: err.Error(), Details: Details{Models: verdicts(r, nil)}}, nil
	}
	if err != nil {
		return fallacy.Finding{}, err
	}
	return h.finding(len(g.to), empty, ctx.Err())
}

// look finds all anomalies. It tells whether no transaction depends on another.
func (h *history) look(ctx context.Context) (g *graph, empty bool, err error) {
	looks := []func(){h.marks, h.aborted, h.internal, h.lostUpdates}
	if h.isa == "append" {
		looks = append([]func(){h.order}, append(looks, h.duplicates, h.incompatible, h.dirtyUpdates)...)
	}
	for _, look := range looks {
		if look(); ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
	}
	most := 2*len(h.mops) + 4*len(h.txns)
	if h.isa == "w" {
		h.overwrote = h.overwritten()
		most += len(h.overwrote.from)
	}
	d := newDraft(len(h.txns), most)
	if h.isa == "append" {
		h.appendEdges(d)
	} else if err := h.registerEdges(d); err != nil {
		return nil, false, err
	}
	empty = !d.some() && (h.isa == "append" || !d.loops) // as Elle counts
	if h.addOrders(d) {
		empty = false
	}
	g = d.finish()
	h.cycles(g, func() bool { return ctx.Err() != nil })
	return g, empty, nil
}

// some tells whether there is any edge by which one transaction comes before another.
func (d *draft) some() bool {
	for _, k := range d.kinds {
		if k != pass {
			return true
		}
	}
	return false
}

// finding sums up. Anomalies that what was asked for permits are counted only.
func (h *history) finding(edges int, empty bool, stopped error) (fallacy.Finding, error) {
	f := fallacy.Finding{Verdict: fallacy.Valid, Examined: len(h.txns)}
	details := Details{Transactions: len(h.txns), Keys: len(h.keys), Edges: edges}
	all := make(names)
	for name, n := range h.found.totals {
		all[name] = true
		where := &details.Tolerated
		if h.prohibited[name] {
			where = &details.Anomalies
		}
		if *where == nil {
			*where = make(map[string]int)
		}
		(*where)[name] = n
	}
	for _, a := range h.found.anomalies {
		if h.prohibited[a.Name] {
			f.Anomalies = append(f.Anomalies, a)
		}
	}
	details.Models = verdicts(h.rules, all)
	switch {
	case len(f.Anomalies) > 0:
		f.Verdict, stopped = fallacy.Invalid, nil
	case stopped != nil:
		f.Verdict = fallacy.Unknown
	case empty:
		f.Verdict, f.Reason = fallacy.Unknown, "no transaction depends on another, so that there was nothing to judge"
	}
	if empty {
		f.Anomalies = append(f.Anomalies, fallacy.Anomaly{
			Name: "empty-transaction-graph", Why: "no transaction depends on another", Ops: []int{},
		})
	}
	if f.Verdict == fallacy.Valid {
		details.Models.Not, details.Models.AlsoNot = []string{}, []string{}
	}
	f.Details = details
	if stopped != nil {
		stopped = fmt.Errorf("looking for cycles: %w", stopped)
	}
	return f, stopped
}

func verdicts(r *rules, anomalies names) Verdicts {
	v := Verdicts{Requested: append([]string{}, r.requested...), Not: []string{}, AlsoNot: []string{}, MayHold: []string{}}
	not, alsoNot, mayHold := ruledOut(anomalies)
	v.Not, v.AlsoNot, v.MayHold = append(v.Not, not...), append(v.AlsoNot, alsoNot...), append(v.MayHold, mayHold...)
	return v
}
