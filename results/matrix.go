package results

import (
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Bounds of the matrices of links.
const (
	matricesMax   = 12
	matrixMembers = 16
)

// matrix shows which links a fault cut: from the member at the left to the one at the top.
type matrix struct {
	Name    string
	What    string
	When    []*episode // when just these were cut
	Members []string
	Rows    []matrixRow
	Cut     int // links
	Links   int // there are
}

type matrixRow struct {
	From  string
	Cells []matrixCell
}

type matrixCell struct {
	Mark  string // "cut", "hurt" where it only suffers, "self", or empty
	Title string
}

// matricesOf returns a matrix for each pattern of links that faults cut.
func matricesOf(episodes []*episode, nodes []string) []*matrix {
	var all []*matrix
	for _, e := range episodes {
		if e.Kind != "partition" || len(nodes) > matrixMembers || len(nodes) == 0 {
			continue
		}
		m := matrixOf(e, nodes)
		if m.Cut == 0 {
			continue
		}
		if i := slices.IndexFunc(all, m.same); i >= 0 {
			all[i].When = append(all[i].When, e)
		} else if len(all) < matricesMax {
			all = append(all, m)
		}
	}
	return all
}

func matrixOf(e *episode, nodes []string) *matrix {
	m := &matrix{Name: e.Name(), What: e.What, When: []*episode{e}, Members: nodes}
	_, sends := e.Damage[fallacy.Clients]
	if sends || slices.ContainsFunc(nodes, func(n string) bool { _, hit := e.Damage[n].Links[fallacy.Clients]; return hit }) {
		m.Members = append(slices.Clone(nodes), fallacy.Clients)
	}
	for _, from := range m.Members {
		row := matrixRow{From: from}
		for _, to := range m.Members {
			row.Cells = append(row.Cells, m.cell(from, to, e.Damage[from].Links[to]))
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func (m *matrix) cell(from, to string, l fallacy.Link) matrixCell {
	if from == to {
		return matrixCell{Mark: "self"}
	}
	m.Links++
	c := matrixCell{Title: from + " reaches " + to}
	switch {
	case l.Cut || l.Reset || l.Stall:
		m.Cut++
		c = matrixCell{"cut", from + " does not reach " + to}
	case l != fallacy.Link{}:
		c = matrixCell{"hurt", from + " " + effects(l)[0] + " " + to}
	}
	return c
}

func (m *matrix) same(o *matrix) bool {
	return m.Name == o.Name && m.What == o.What
}
