package txn

import (
	"context"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// Implies tells whether one anomaly implies another.
func Implies(a, b string) bool { return implications([]string{a})[b] }

// RuledOut returns the models that some anomalies rule out.
func RuledOut(anomalies ...string) (not, alsoNot []string) {
	not, alsoNot, _ = ruledOut(setOf(anomalies))
	return not, alsoNot
}

func implications(list []string) names {
	return closure(setOf(list), func(n string) []string { return implied[n] })
}

// AllClasses returns the names of all cycles of a small history, found by going
// through them one by one, and of those that the checker found; in both cases
// with all that they imply. Patience is that of the checker's search.
func AllClasses(input fallacy.History, isa string, o Options, patience int) (all, found []string, err error) {
	r, err := o.rules()
	if err != nil {
		return nil, nil, err
	}
	h, err := load(input, isa, r)
	if err != nil {
		return nil, nil, err
	}
	h.patience = patience
	if _, _, err := h.look(context.Background()); err != nil {
		return nil, nil, err
	}
	e := enumeration{history: h, seen: make(names), kinds: make([][][]kind, len(h.txns))}
	for a := range h.txns {
		e.kinds[a] = make([][]kind, len(h.txns))
		for b := range h.txns {
			for _, k := range kindsInOrder {
				if k == rw && len(e.kinds[a][b]) > 0 {
					continue // the stronger reason counts
				}
				if _, ok := h.proof(int32(a), int32(b), k); ok && a != b {
					e.kinds[a][b] = append(e.kinds[a][b], k)
				}
			}
		}
	}
	for start := range h.txns {
		e.extend(nil, start, start)
	}
	var got []string
	for _, a := range h.found.anomalies {
		if a.Cycle != nil {
			got = append(got, a.Name)
		}
	}
	return cyclesAmong(sorted(e.seen)), cyclesAmong(got), nil
}

func cyclesAmong(list []string) []string {
	return slices.DeleteFunc(sorted(implications(list)), func(n string) bool {
		return !strings.Contains(n, "-item") && !strings.HasPrefix(n, "G0") && !strings.HasPrefix(n, "G1c")
	})
}

type enumeration struct {
	*history
	kinds [][][]kind
	seen  names
	path  []bool
}

// extend goes on from a path that ends at a transaction, to ones after start.
func (e *enumeration) extend(path circle, start, at int) {
	if e.path == nil {
		e.path = make([]bool, len(e.txns))
	}
	e.path[at] = true
	for next := start; next < len(e.txns); next++ {
		if e.path[next] && next != start {
			continue
		}
		for _, k := range e.kinds[at][next] {
			c := append(slices.Clip(path), step{int32(at), int32(next), k})
			if next == start {
				e.seen[c.name()] = true
			} else {
				e.extend(c, start, next)
			}
		}
	}
	e.path[at] = false
}
