package results

import (
	"maps"
	"slices"
)

// Term is what an anomaly's name means.
type Term struct {
	Name       string
	Meaning    string // in plain words
	Definition string // what exactly it is; empty if the plain words say so
	Source     string // the literature; empty if it is a word of everyday use
}

// Terms returns the anomalies that reports explain, by name.
func Terms() []Term {
	var all []Term
	for _, name := range slices.Sorted(maps.Keys(terms)) {
		t := terms[name]
		all = append(all, Term{name, t.meaning, t.definition, t.source})
	}
	return all
}
