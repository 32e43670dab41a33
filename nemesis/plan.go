package nemesis

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Plan is the faults of a run with their times and parameters: enough to do
// exactly these again.
type Plan struct {
	Seed   uint64        `json:"seed"`
	Time   time.Duration `json:"time_ns"` // of the workload under faults
	Events []Event       `json:"events"`
}

// Event is one injection or heal.
type Event struct {
	At         time.Duration `json:"at_ns"` // since the run began
	Nemesis    string        `json:"nemesis"`
	F          string        `json:"f"` // "inject" or "heal"
	Conditions Conditions    `json:"conditions,omitempty"`
}

// PlanOf returns the plan that a run came to, from its history.
func PlanOf(h fallacy.History, seed uint64, length time.Duration) (Plan, error) {
	p := Plan{Seed: seed, Time: length, Events: []Event{}}
	for call := range h.Faults() {
		if call.Invoke.Time >= length {
			break // what follows is the end of every run
		}
		e := Event{At: call.Invoke.Time, Nemesis: call.Invoke.Nemesis, F: call.Invoke.F}
		if e.F == "inject" && call.Complete != nil {
			damage := call.Complete.Value.Get("damage")
			if damage.IsNil() {
				continue // nothing was found to break
			}
			if err := json.Unmarshal(damage.AppendJSON(nil), &e.Conditions); err != nil {
				continue // of a fault of somebody's own, which says it in words of its own and is not repeated
			}
		}
		p.Events = append(p.Events, e)
	}
	return p, nil
}

// Nemeses returns nemeses that do again what the plan says, one a name.
func (p Plan) Nemeses() ([]fallacy.Nemesis, error) {
	var all []fallacy.Nemesis
	for i, e := range p.Events {
		if e.F != "inject" && e.F != "heal" {
			return nil, fmt.Errorf(`event %d: f is %q, want "inject" or "heal"`, i, e.F)
		}
		if slices.ContainsFunc(all, func(n fallacy.Nemesis) bool { return n.Name == e.Nemesis }) {
			continue
		}
		n, err := New(e.Nemesis, Schedule{})
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", i, err)
		}
		n.Needs = slices.DeleteFunc(n.Needs, func(need fallacy.Need) bool { return need == fallacy.NeedPrimaries })
		n.Fault, n.Schedule = p.replay(e.Nemesis)
		all = append(all, n)
	}
	return all, nil
}

// replay returns the fault and the schedule of one nemesis of the plan.
func (p Plan) replay(name string) (fallacy.Fault, fallacy.Generator) {
	var ops list
	var injections []Conditions
	for _, e := range p.Events {
		if e.Nemesis == name {
			ops = append(ops, fallacy.Op{Time: e.At, Process: fallacy.NemesisProcess, Nemesis: name, F: e.F})
			if e.F == "inject" {
				injections = append(injections, e.Conditions)
			}
		}
	}
	next := 0 // a nemesis injects one at a time, in order
	again := func(context.Context, *rand.Rand, fallacy.Cluster) (Conditions, error) {
		if next >= len(injections) {
			return nil, fmt.Errorf("the plan has %d injections of %s, and this is another", len(injections), name)
		}
		next++
		return injections[next-1], nil
	}
	f, _ := familyOf(name) // New has found it
	return f.fault(name, again, 1), ops
}

// list is ops at given times.
type list []fallacy.Op

// Next returns the first op of the list.
func (g list) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	switch {
	case len(g) == 0:
		return nil, nil
	case len(now.Idle) == 0:
		return nil, g
	}
	op := g[0]
	return &op, g[1:]
}

// Update changes nothing.
func (g list) Update(fallacy.Moment, fallacy.Op) fallacy.Generator { return g }
