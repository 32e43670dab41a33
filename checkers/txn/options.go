package txn

import (
	"fmt"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Options say by what a history is judged. The zero Options ask for strict
// serializability. The names are those of Elle's options.
type Options struct {
	// Models are the consistency models that the history must keep, by any of the
	// names in [Models]. None means strict-serializable, unless Anomalies are named.
	Models []string

	// Anomalies are further anomalies that it must not show, by name: "G1", "G-single".
	// What implies one of them counts too.
	Anomalies []string

	// AdditionalGraphs are orders of transactions to look at even if no model that
	// is asked for needs them: "process", "realtime".
	AdditionalGraphs []string

	// These are for registers only, which do not show in which order they were
	// written. Each is an assumption about the target: where it does not hold,
	// versions go in circles, which is reported as cyclic-versions.
	WFRKeys          bool // who writes a key after reading it overwrites what it read
	SequentialKeys   bool // the versions of a key are in the order of each process
	LinearizableKeys bool // the versions of a key are in the order of real time

	// Initial are the values, besides nil, that registers may hold at first: to
	// read one of them that nobody wrote is no garbage-read.
	Initial []fallacy.Value

	// TransactionOrder gives the place of transactions, by the indexes of their
	// completions, in the order in which the target says that it ran them. It
	// orders the versions of registers.
	TransactionOrder map[int]int
}

// Validate returns an error that names what is not known.
func (o Options) Validate() error {
	_, err := o.rules()
	return err
}

// rules are options as the checkers use them.
type rules struct {
	Options
	requested  []string // models, as they were asked for
	prohibited names    // anomalies that make a history invalid
	process    bool     // whether transactions of one process are in order
	realtime   bool     // whether transactions are in order if one ended before the other began
}

func (o Options) rules() (*rules, error) {
	r := &rules{Options: o, requested: slices.Clone(o.Models)}
	if len(o.Models) == 0 && len(o.Anomalies) == 0 {
		r.requested = []string{"strict-serializable"}
	}
	var canonical []string
	for _, name := range r.requested {
		m, ok := LookupModel(name)
		if !ok {
			return nil, fmt.Errorf("consistency model %q is not known", name)
		}
		canonical = append(canonical, m.Canonical)
	}
	known := anomalyNames()
	for _, a := range o.Anomalies {
		if !known[a] {
			return nil, fmt.Errorf("anomaly %q is not known", a)
		}
	}
	r.prohibited = forbidden(canonical, o.Anomalies)
	r.realtime = r.prohibited.needs("realtime")
	r.process = !r.realtime && r.prohibited.needs("process")
	for _, g := range o.AdditionalGraphs {
		switch g {
		case "process":
			r.process = true
		case "realtime":
			r.realtime = true
		default:
			return nil, fmt.Errorf(`graph %q is not known, want "process" or "realtime"`, g)
		}
	}
	return r, nil
}
