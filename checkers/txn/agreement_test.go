package txn_test

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
)

var moreCases = flag.String("cases", "", "a directory of further cases, gzipped, in the form of those in testdata/cases")

// collection is histories with the verdicts that Elle gave on them.
type collection struct {
	Histories map[string][]line `json:"histories"`
	Cases     []elleCase        `json:"cases"`
}

type elleCase struct {
	Name       string `json:"name"`
	Workload   string `json:"workload"`
	History    []line `json:"history"`
	HistoryRef string `json:"history_ref"`
	IllFormed  bool   `json:"ill_formed"`
	Suspect    any    `json:"elle_suspect"`
	Options    struct {
		Models           []string       `json:"consistency-models"`
		Anomalies        []string       `json:"anomalies"`
		WFRKeys          bool           `json:"wfr-keys?"`
		SequentialKeys   bool           `json:"sequential-keys?"`
		LinearizableKeys bool           `json:"linearizable-keys?"`
		TransactionOrder map[string]int `json:"transaction-order"`
		AdditionalGraphs []string       `json:"additional-graphs"`
	} `json:"options"`
	Expected expected `json:"expected"`
}

type expected struct {
	Valid     any      `json:"valid"`
	Anomalies []string `json:"anomaly-types"`
	Not       []string `json:"not"`
	AlsoNot   []string `json:"also-not"`
	Error     string   `json:"error"`
	Details   map[string][]struct {
		Op *int `json:"op"`
	} `json:"details"`
}

type line struct {
	Index   int           `json:"index"`
	Type    string        `json:"type"`
	Process *int          `json:"process"`
	Value   fallacy.Value `json:"value"`
}

func (c *elleCase) options(t *testing.T) txn.Options {
	o := txn.Options{
		Models: c.Options.Models, Anomalies: c.Options.Anomalies, AdditionalGraphs: c.Options.AdditionalGraphs,
		WFRKeys: c.Options.WFRKeys, SequentialKeys: c.Options.SequentialKeys, LinearizableKeys: c.Options.LinearizableKeys,
		TransactionOrder: make(map[int]int),
	}
	for op, at := range c.Options.TransactionOrder {
		n, err := strconv.Atoi(op)
		if err != nil {
			t.Fatal(err)
		}
		o.TransactionOrder[n] = at
	}
	return o
}

func (c *elleCase) history(t *testing.T, all map[string][]line) fallacy.History {
	lines := c.History
	if c.HistoryRef != "" {
		lines = all[c.HistoryRef]
	}
	var h fallacy.History
	for _, l := range lines {
		op := fallacy.Op{Index: l.Index, F: "txn", Value: l.Value, Process: fallacy.NemesisProcess}
		if l.Process != nil {
			op.Process = *l.Process
		}
		var err error
		if op.Type, err = fallacy.ParseType(l.Type); err != nil {
			t.Fatal(err)
		}
		h = append(h, op)
	}
	return h
}

// TestAgreement compares verdicts, anomalies about single transactions with their
// ops, and the models ruled out, with Elle's, case by case. Cycles may be more
// than Elle's, which looks for one of each kind for a second, but not fewer. The
// cases are random histories of simulated databases with injected damage.
func TestAgreement(t *testing.T) {
	paths := []string{filepath.Join("testdata", "cases", "transactions.json.gz")}
	if *moreCases != "" {
		more, err := filepath.Glob(filepath.Join(*moreCases, "*.json.gz"))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, more...)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			all := readCases(t, path)
			agreed, reasons := 0, make(map[string]int)
			for i := range all.Cases {
				c := &all.Cases[i]
				h := c.history(t, all.Histories)
				differences := compare(t, c, h, nil)
				reason := excuse(c, differences)
				if reason == unwritten {
					if left := compare(t, c, h, values(h)); len(left) > 0 {
						t.Errorf("%s: %s", c.Name, strings.Join(left, "; "))
					}
				}
				switch {
				case len(differences) == 0:
					agreed++
				case reason != "":
					reasons[reason]++
					t.Logf("%s differs, as %s: %s", c.Name, reason, strings.Join(differences, "; "))
				default:
					t.Errorf("%s: %s", c.Name, strings.Join(differences, "; "))
				}
			}
			t.Logf("%d of %d agree; differences by reason: %v", agreed, len(all.Cases), reasons)
		})
	}
}

func readCases(t *testing.T, path string) collection {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all collection
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// unwritten is a difference that Options.Initial makes none of.
const unwritten = "a value was read that nobody wrote, which Elle takes for an initial one"

// values returns all values that registers had.
func values(h fallacy.History) (all []fallacy.Value) {
	for _, op := range h {
		ops, _ := op.Value.Txn()
		for _, m := range ops {
			all = append(all, m.Value)
		}
	}
	return all
}

// excuse returns why a difference is right; "" if there is no reason for it.
func excuse(c *elleCase, differences []string) string {
	switch {
	case c.IllFormed:
		return "the history has two completions of one call"
	case c.Expected.Error != "":
		return "Elle broke"
	case c.Suspect != nil:
		return "Elle's order of versions is wrong"
	case slices.ContainsFunc(differences, func(s string) bool { return strings.Contains(s, "garbage-read") }):
		return unwritten
	}
	return ""
}

var cycleNames = []string{"G0", "G1c", "G-single", "G-nonadjacent", "G2", "PL-", "strong-"}

func isCycle(name string) bool {
	return slices.ContainsFunc(cycleNames, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func compare(t *testing.T, c *elleCase, h fallacy.History, initial []fallacy.Value) (differences []string) {
	add := func(format string, args ...any) { differences = append(differences, fmt.Sprintf(format, args...)) }
	o := c.options(t)
	o.Initial = initial
	checker := txn.AppendWith(o)
	if c.Workload == "rw-register" {
		checker = txn.RegisterWith(o)
	}
	f, err := checker.Check(t.Context(), h)
	if err != nil {
		add("error %v", err)
		return differences
	}
	want := map[any]string{true: "valid", false: "invalid", "unknown": "unknown"}[c.Expected.Valid]
	if f.Verdict.String() != want {
		add("verdict is %v, Elle's %v", f.Verdict, want)
	}
	var got []string
	ops := make(map[string][]int)
	for _, a := range f.Anomalies {
		got = append(got, a.Name)
		ops[a.Name] = append(ops[a.Name], a.Ops...)
	}
	slices.Sort(got)
	got = slices.Compact(got)
	for _, name := range got {
		if !isCycle(name) && !slices.Contains(c.Expected.Anomalies, name) {
			add("%s is not Elle's", name)
		}
	}
	for _, name := range c.Expected.Anomalies {
		if !slices.Contains(got, name) && !strings.HasSuffix(name, "-cycle-exists") && !impliedBy(name, got) {
			add("%s is Elle's alone", name)
		}
	}
	for name, cases := range c.Expected.Details {
		for _, d := range cases {
			if d.Op != nil && !isCycle(name) && !slices.Contains(ops[name], *d.Op) {
				add("%s of op %d is Elle's alone", name, *d.Op)
			}
		}
	}
	if f.Details == nil {
		return differences
	}
	details := f.Details.(txn.Details)
	if details.Tolerated["garbage-read"] > 0 {
		add("garbage-read is tolerated, and Elle has none")
	}
	models := details.Models
	for _, lists := range [][3][]string{
		{models.Not, c.Expected.Not}, {models.AlsoNot, c.Expected.AlsoNot},
	} {
		ours, theirs := slices.Clone(lists[0]), slices.Clone(lists[1])
		slices.Sort(ours)
		slices.Sort(theirs)
		if !slices.Equal(ours, theirs) {
			add("ruled out are %v, Elle's %v (%v, Elle's %v)", ours, theirs, got, c.Expected.Anomalies)
		}
	}
	return differences
}

func impliedBy(name string, got []string) bool {
	return slices.ContainsFunc(got, func(g string) bool { return txn.Implies(g, name) })
}
