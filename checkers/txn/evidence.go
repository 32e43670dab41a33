package txn

import (
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// mostOfAName is how many anomalies of one name a finding carries. The totals
// are in its details.
const mostOfAName = 256

// evidence collects anomalies, the first many of each name, and counts the rest.
type evidence struct {
	anomalies []fallacy.Anomaly
	totals    map[string]int
}

// count counts an anomaly and tells whether it is still to be kept.
func (e *evidence) count(name string) bool {
	if e.totals == nil {
		e.totals = make(map[string]int)
	}
	e.totals[name]++
	return e.totals[name] <= mostOfAName
}

// report reports an anomaly that the transactions prove. The arguments of the
// sentence are made only if it is kept: a transaction is named, and so is the
// key of a micro-op, by its owner's methods.
func (h *history) report(name string, txns []int32, why func() string) {
	if !h.found.count(name) {
		return
	}
	ops := []int{}
	for _, t := range txns {
		ops = append(ops, h.ops(t)...)
	}
	slices.Sort(ops)
	h.found.anomalies = append(h.found.anomalies, fallacy.Anomaly{Name: name, Why: why(), Ops: slices.Compact(ops)})
}

// short prints a value, without its middle if it is a long list.
func short(v fallacy.Value) string {
	const most = 16
	list, ok := v.List()
	if !ok || len(list) <= most {
		return v.String()
	}
	head, tail := list[:most/2], list[len(list)-most/2:]
	s := fallacy.List(slices.Clone(head)...).String()
	return fmt.Sprintf("%s,…%d more…,%s", s[:len(s)-1], len(list)-most, fallacy.List(slices.Clone(tail)...).String()[1:])
}

// saw prints what a read saw.
func (h *history) saw(m *mop) string {
	if h.isa == "append" {
		return short(h.values(h.list(m)))
	}
	return h.value(m.version).String()
}
