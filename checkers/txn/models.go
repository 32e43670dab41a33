package txn

import (
	"slices"
	"strings"
)

// Model is a consistency model.
type Model struct {
	Name      string   // what people call it: "serializable"
	Canonical string   // Adya's name where it has one, else the same: "PL-3"
	Aliases   []string // further names: "conflict-serializable"
	Implies   []string // canonical names of the weaker models that it directly implies
	Prohibits []string // the anomalies that it directly forbids
}

// Models returns all models that a history can be judged by. The caller may
// change what it returns. The lattice is Elle's.
func Models() []Model {
	all := slices.Clone(lattice)
	for i := range all {
		all[i].Aliases = slices.Clone(all[i].Aliases)
		all[i].Implies = slices.Clone(all[i].Implies)
		all[i].Prohibits = slices.Clone(all[i].Prohibits)
	}
	return all
}

// LookupModel returns the model by any of its names; ok is false when there is none.
func LookupModel(name string) (m Model, ok bool) {
	at := slices.IndexFunc(lattice, func(m Model) bool {
		return m.Name == name || m.Canonical == name || slices.Contains(m.Aliases, name)
	})
	if at < 0 {
		return Model{}, false
	}
	return Models()[at], true
}

// Prohibited returns the names of all anomalies that a history must not show if
// it is to be as the model says, sorted.
func (m Model) Prohibited() []string {
	return sorted(forbidden([]string{m.Canonical}, nil))
}

// names is a set of names.
type names map[string]bool

func setOf(list []string) names {
	set := make(names, len(list))
	for _, name := range list {
		set[name] = true
	}
	return set
}

func sorted(set names) []string {
	list := make([]string, 0, len(set))
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// closure adds to a set all that next leads to from its members.
func closure(set names, next func(name string) []string) names {
	todo := sorted(set)
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, n := range next(name) {
			if !set[n] {
				set[n] = true
				todo = append(todo, n)
			}
		}
	}
	return set
}

func modelNamed(canonical string) *Model {
	for i := range lattice {
		if lattice[i].Canonical == canonical {
			return &lattice[i]
		}
	}
	return nil
}

// weaker returns the models that a model directly implies, stronger those that
// directly imply it.
func weaker(canonical string) []string { return modelNamed(canonical).Implies }

func stronger(canonical string) []string {
	var list []string
	for _, m := range lattice {
		if slices.Contains(m.Implies, canonical) {
			list = append(list, m.Canonical)
		}
	}
	return list
}

// implying returns the anomalies that directly imply one.
func implying(anomaly string) []string {
	var list []string
	for a, implied := range implied {
		if slices.Contains(implied, anomaly) {
			list = append(list, a)
		}
	}
	return list
}

// forbidden returns the anomalies that models, by their canonical names, or a
// list of anomalies forbid, with all that imply one of these.
func forbidden(models, anomalies []string) names {
	all := setOf(anomalies)
	for m := range closure(setOf(models), weaker) {
		for _, a := range modelNamed(m).Prohibits {
			all[a] = true
		}
	}
	return closure(all, implying)
}

// ruledOut returns the models that a history with these anomalies cannot have
// kept: the weakest, all stronger ones, and those that may still hold. The names
// are the ones that people use, sorted.
func ruledOut(anomalies names) (not, alsoNot, mayHold []string) {
	found := closure(setOf(sorted(anomalies)), func(a string) []string { return implied[a] })
	impossible := make(names)
	for _, m := range lattice {
		if slices.ContainsFunc(m.Prohibits, func(a string) bool { return found[a] }) {
			impossible[m.Canonical] = true
		}
	}
	closure(impossible, stronger)
	for _, m := range lattice {
		below := closure(setOf(m.Implies), weaker)
		switch {
		case !impossible[m.Canonical]:
			mayHold = append(mayHold, m.Name)
		case slices.ContainsFunc(sorted(below), func(w string) bool { return impossible[w] }):
			alsoNot = append(alsoNot, m.Name)
		default:
			not = append(not, m.Name)
		}
	}
	for _, list := range [][]string{not, alsoNot, mayHold} {
		slices.Sort(list)
	}
	return not, alsoNot, mayHold
}

// anomalyNames are all anomalies that the lattice knows.
func anomalyNames() names {
	all := make(names)
	for a, list := range implied {
		all[a] = true
		for _, b := range list {
			all[b] = true
		}
	}
	for _, m := range lattice {
		for _, a := range m.Prohibits {
			all[a] = true
		}
	}
	return all
}

// needs tells whether any of the anomalies needs an order of some name to be
// found: "realtime", "process".
func (n names) needs(order string) bool {
	for a := range n {
		if strings.HasSuffix(a, "-"+order) {
			return true
		}
	}
	return false
}
