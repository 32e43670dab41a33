package linearizable

import (
	"context"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// mostAnomalies is how many anomalies a finding carries. The total is in its details.
const mostAnomalies = 16

// part is what was found of one key.
type part struct {
	name     string
	size     int        // calls
	searched bool       // and not decided by the exact algorithm
	bad      *violation // nil: none
	err      error      // why nothing is known
}

// details goes into the finding.
type details struct {
	Keys     int `json:"keys"`
	Searched int `json:"searched"`         // keys that needed a search
	Invalid  int `json:"invalid"`          // keys with an anomaly
	Unknown  int `json:"unknown,omitzero"` // keys without an answer
}

// together makes one finding of what was found of each key.
func together(ctx context.Context, parts []part) fallacy.Finding {
	f := fallacy.Finding{Verdict: fallacy.Valid}
	d := details{Keys: len(parts)}
	var bad []*violation
	for _, p := range parts {
		f.Examined += p.size
		if p.searched {
			d.Searched++
		}
		switch {
		case p.bad != nil:
			d.Invalid++
			f.Verdict = fallacy.Invalid
			bad = append(bad, p.bad)
		case p.err != nil:
			d.Unknown++
			f.Verdict = fallacy.Worse(f.Verdict, fallacy.Unknown)
			if f.Reason == "" {
				f.Reason = inKey(p.name, p.err.Error())
			}
		}
	}
	f.Anomalies = anomalies(ctx, bad)
	if f.Examined == 0 {
		f.Verdict, f.Reason = fallacy.Unknown, "nothing examined"
	}
	f.Details = d
	return f
}

// anomalies tells of the first violations, by their ops, and where orders end.
func anomalies(ctx context.Context, bad []*violation) []fallacy.Anomaly {
	places := make(map[*violation][]int)
	for _, v := range bad {
		places[v] = v.anomaly().Ops
	}
	slices.SortStableFunc(bad, func(a, b *violation) int { return slices.Compare(places[a], places[b]) })
	bad = bad[:min(len(bad), mostAnomalies)]
	var all []fallacy.Anomaly
	for _, v := range bad {
		a := v.anomaly()
		if v.stuck != nil {
			a.Stuck = v.stuck(ctx)
		}
		all = append(all, a)
	}
	return all
}
