package linearizable

import (
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
func together(parts []part) fallacy.Finding {
	f := fallacy.Finding{Verdict: fallacy.Valid}
	d := details{Keys: len(parts)}
	for _, p := range parts {
		f.Examined += p.size
		if p.searched {
			d.Searched++
		}
		switch {
		case p.bad != nil:
			d.Invalid++
			f.Verdict = fallacy.Invalid
			f.Anomalies = append(f.Anomalies, p.bad.anomaly())
		case p.err != nil:
			d.Unknown++
			f.Verdict = fallacy.Worse(f.Verdict, fallacy.Unknown)
			if f.Reason == "" {
				f.Reason = inKey(p.name, p.err.Error())
			}
		}
	}
	slices.SortStableFunc(f.Anomalies, func(a, b fallacy.Anomaly) int { return slices.Compare(a.Ops, b.Ops) })
	f.Anomalies = f.Anomalies[:min(len(f.Anomalies), mostAnomalies)]
	if f.Examined == 0 {
		f.Verdict, f.Reason = fallacy.Unknown, "nothing examined"
	}
	f.Details = d
	return f
}
