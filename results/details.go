package results

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// What the checkers stats and recovery put into their details, as JSON has it.
type (
	tally struct {
		OK     int   `json:"ok"`
		Fail   int   `json:"fail"`
		Info   int   `json:"info"`
		Faulty ended `json:"faulty"`
	}
	ended struct {
		OK   int `json:"ok"`
		Fail int `json:"fail"`
		Info int `json:"info"`
	}
	quantiles struct {
		Median time.Duration `json:"p50_ns"`
		P95    time.Duration `json:"p95_ns"`
		P99    time.Duration `json:"p99_ns"`
		Max    time.Duration `json:"max_ns"`
	}
	statistics struct {
		Functions map[string]tally     `json:"functions"`
		Nodes     map[string]tally     `json:"nodes"`
		Latency   map[string]quantiles `json:"latency"`
	}
	healed struct {
		Nemesis string                   `json:"nemesis"`
		Op      int                      `json:"op"`
		Nodes   map[string]time.Duration `json:"nodes_ns"`
		Never   []string                 `json:"never"`
		Slowest time.Duration            `json:"slowest_ns"`
	}
	recoveries struct {
		Heals []healed `json:"heals"`
	}
)

// models are what a checker of transactions says of consistency models.
type models struct {
	Models struct {
		Requested []string `json:"requested"`
		Not       []string `json:"not"`
	} `json:"models"`
}

// modelsOf says which models were asked for, and which were broken.
func modelsOf(run Run) string {
	for _, f := range run.Findings {
		var m models
		if detailsOf(Run{Findings: []Finding{f}}, f.Checker, &m); len(m.Models.Requested) == 0 {
			continue
		}
		text := listing(m.Models.Requested)
		if len(m.Models.Not) > 0 {
			text += "; not even " + listing(m.Models.Not) + " held"
		}
		return text
	}
	return ""
}

// detailsOf reads the details of a checker's finding into v, whether they were
// just made or come from run.json. It tells whether they were there.
func detailsOf(run Run, checker string, v any) bool {
	for _, f := range run.Findings {
		if f.Checker != checker || f.Details == nil {
			continue
		}
		text, err := json.Marshal(f.Details)
		return err == nil && json.Unmarshal(text, v) == nil
	}
	return false
}

// statRow is a line of the table of functions, or of nodes.
type statRow struct {
	Name string
	tally
	Quantiles *quantiles
	Outage    *outage // of a node
}

// outage is a time in which a node answered nothing ok, although it was asked.
type outage struct{ From, Lasted time.Duration }

// outagesOf returns each node's longest.
func outagesOf(c *calls) map[string]*outage {
	ends := make(map[string][]time.Duration)
	for _, call := range c.all {
		if n := nodeOf(call); n != "" && call.Type() == fallacy.OK {
			ends[n] = append(ends[n], call.Complete.Time)
		}
	}
	all := make(map[string]*outage)
	for n, at := range ends {
		slices.Sort(at)
		last, longest := time.Duration(0), &outage{}
		for _, t := range append(at, c.end) {
			if t-last > longest.Lasted {
				*longest = outage{last, t - last}
			}
			last = t
		}
		all[n] = longest
	}
	return all
}

// Tried is how many calls there were.
func (r statRow) Tried() int { return r.OK + r.Fail + r.Info }

// UnderFaults is how many of them were invoked under a fault.
func (r statRow) UnderFaults() int { return r.Faulty.OK + r.Faulty.Fail + r.Faulty.Info }

func statRows(tallies map[string]tally, latency map[string]quantiles) []statRow {
	var rows []statRow
	for name, t := range tallies {
		row := statRow{Name: name, tally: t}
		if q, ok := latency[name]; ok {
			row.Quantiles = &q
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b statRow) int { return naturally(a.Name, b.Name) })
	return rows
}

// naturally orders n2 before n10.
func naturally(a, b string) int {
	if len(a) != len(b) && strings.TrimRight(a, "0123456789") == strings.TrimRight(b, "0123456789") {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// recoveryRow is a heal with what each node took to serve again.
type recoveryRow struct {
	Fault string
	At    time.Duration
	Cells []recoveryCell
	Never bool
}

type recoveryCell struct {
	Text string
	Mark string // "bad": never; "slow": the slowest
}

func recoveryRows(r recoveries, h fallacy.History, nodes []string) []recoveryRow {
	at := make(map[int]time.Duration)
	for i := range h {
		if !h[i].IsClient() {
			at[h[i].Index] = h[i].Time
		}
	}
	var rows []recoveryRow
	for _, heal := range r.Heals {
		row := recoveryRow{Fault: strings.Replace(heal.Nemesis, ":", ", ", 1), At: at[heal.Op], Never: len(heal.Never) > 0}
		for _, n := range nodes {
			cell := recoveryCell{Text: "–"}
			if took, ok := heal.Nodes[n]; ok {
				cell.Text = lasting(took)
				if took == heal.Slowest {
					cell.Mark = "slow"
				}
			} else if slices.Contains(heal.Never, n) {
				cell = recoveryCell{"not again", "bad"}
			}
			row.Cells = append(row.Cells, cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// slowestOf returns how long the slowest node took after each heal, by the op.
func slowestOf(r recoveries) map[int]string {
	all := make(map[int]string)
	for _, h := range r.Heals {
		all[h.Op] = lasting(h.Slowest)
		if len(h.Never) > 0 {
			all[h.Op] = listing(h.Never) + " did not serve again"
		}
	}
	return all
}

// pretty returns a finding's details as text, cut to a bound: the same text
// whether the details were just made or come from run.json.
func pretty(details any) string {
	const most = 12 << 10
	if details == nil {
		return ""
	}
	text, err := json.Marshal(details)
	if err != nil {
		return err.Error()
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var sorted any
	if err := decoder.Decode(&sorted); err != nil {
		return err.Error()
	}
	if text, err = json.MarshalIndent(sorted, "", "  "); err != nil {
		return err.Error()
	}
	if s := string(text); s != "null" && s != "{}" {
		return shorten(s, most)
	}
	return ""
}
