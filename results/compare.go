package results

import (
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Comparison is two runs side by side.
type Comparison struct {
	A          Summary         `json:"a"`
	B          Summary         `json:"b"`
	Parameters []ComparedText  `json:"parameters"`
	Checkers   []ComparedText  `json:"checkers"`  // verdicts
	Anomalies  []ComparedCount `json:"anomalies"` // by name
	Latencies  []ComparedTime  `json:"latencies"` // by function
}

// ComparedText is what two runs have under one name; empty where one has nothing.
type ComparedText struct {
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
}

// Differs tells whether the two are not the same.
func (c ComparedText) Differs() bool { return c.A != c.B }

// ComparedCount is how many of a kind two runs have.
type ComparedCount struct {
	Name string `json:"name"`
	A    int    `json:"a"`
	B    int    `json:"b"`
}

// ComparedTime is a quantile of a function's latency in two runs; 0 where there is none.
type ComparedTime struct {
	Name string        `json:"name"` // "read, 95 %"
	A    time.Duration `json:"a_ns"`
	B    time.Duration `json:"b_ns"`
}

// Change is how many times slower b is; 0 if that cannot be said.
func (c ComparedTime) Change() float64 {
	if c.A <= 0 || c.B <= 0 {
		return 0
	}
	return float64(c.B) / float64(c.A)
}

// Compare puts two runs side by side.
func Compare(a, b Run) Comparison {
	c := Comparison{A: summaryOf(a), B: summaryOf(b), Anomalies: []ComparedCount{}, Latencies: []ComparedTime{}}
	c.Parameters = paired(textsOf(parametersOf(a)), textsOf(parametersOf(b)))
	c.Checkers = paired(verdictsOf(a), verdictsOf(b))
	c.Anomalies = append(c.Anomalies, countedOf(a, b)...)
	var left, right statistics
	detailsOf(a, "stats", &left)
	detailsOf(b, "stats", &right)
	for _, f := range union(sortedKeys(left.Latency), sortedKeys(right.Latency)) {
		x, y := left.Latency[f], right.Latency[f]
		c.Latencies = append(c.Latencies, ComparedTime{f + ", half", x.Median, y.Median}, ComparedTime{f + ", 95" + nbsp + "%", x.P95, y.P95}, ComparedTime{f + ", 99" + nbsp + "%", x.P99, y.P99})
	}
	return c
}

func textsOf(parameters []parameter) (all []ComparedText) {
	for _, p := range parameters {
		all = append(all, ComparedText{Name: p.Name, A: p.Value})
	}
	return all
}

func verdictsOf(run Run) (all []ComparedText) {
	for _, f := range run.Findings {
		all = append(all, ComparedText{Name: f.Checker, A: f.Verdict.String()})
	}
	return all
}

// paired brings together what two lists have under the same name.
func paired(left, right []ComparedText) []ComparedText {
	all := slices.Clone(left)
	for _, r := range right {
		if i := slices.IndexFunc(left, func(l ComparedText) bool { return l.Name == r.Name }); i >= 0 {
			all[i].B = r.A
			continue
		}
		all = append(all, ComparedText{Name: r.Name, B: r.A})
	}
	return all
}

func countedOf(a, b Run) (all []ComparedCount) {
	count := func(run Run) map[string]int {
		n := make(map[string]int)
		for _, f := range run.Findings {
			for _, anomaly := range f.Anomalies {
				n[anomaly.Name]++
			}
		}
		return n
	}
	x, y := count(a), count(b)
	for _, name := range union(sortedKeys(x), sortedKeys(y)) {
		all = append(all, ComparedCount{name, x[name], y[name]})
	}
	return all
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func (s *server) compared(r *http.Request, root *os.Root) (Comparison, error) {
	atA, a, err := loadAt(root, r.FormValue("a"))
	if err != nil {
		return Comparison{}, err
	}
	atB, b, err := loadAt(root, r.FormValue("b"))
	if err != nil {
		return Comparison{}, err
	}
	c := Compare(a, b)
	c.A.Path, c.B.Path = atA, atB
	return c, nil
}

func (s *server) apiCompare(w http.ResponseWriter, r *http.Request, root *os.Root) {
	c, err := s.compared(r, root)
	if err != nil {
		refuse(w, http.StatusNotFound, err.Error())
		return
	}
	answer(w, c)
}

// trend returns the runs of one name, oldest first.
func (s *server) trend(name string, root *os.Root) ([]Summary, error) {
	runs, err := s.shelf.runs(root)
	runs = slices.DeleteFunc(runs, func(r Summary) bool { return r.Name != name || r.Live })
	slices.Reverse(runs)
	return runs, err
}

func (s *server) apiTrend(w http.ResponseWriter, r *http.Request, root *os.Root) {
	runs, err := s.trend(r.FormValue("name"), root)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the runs cannot be listed: "+err.Error())
		return
	}
	answer(w, runs)
}

// trendMax is how many runs a trend draws, the newest.
const trendMax = 200

// trendBar is a run in the picture of a trend.
type trendBar struct {
	Summary
	X, W         float64
	P95Y, MedY   float64
	RateY, RateH float64
}

// trendOf lays runs out: latencies on a logarithmic scale, rates on a linear one.
func trendOf(runs []Summary) (bars []trendBar) {
	runs = runs[max(0, len(runs)-trendMax):]
	most := 1e-9
	for _, r := range runs {
		most = max(most, r.Rate)
	}
	w := min(900/float64(max(1, len(runs))), 60)
	for i, r := range runs {
		b := trendBar{Summary: r, X: 60 + float64(i)*w, W: max(w-2, 1)}
		b.MedY, b.P95Y = trendY(r.Median), trendY(r.P95)
		b.RateH = 80 * r.Rate / most
		b.RateY = 240 - b.RateH
		bars = append(bars, b)
	}
	return bars
}

// trendY is a latency's place: 0.1 ms at the bottom, 10 s at the top, five decades.
func trendY(d time.Duration) float64 {
	y := 130.0
	for at := 100 * time.Microsecond; at < d && y > 30; at = at * 5 / 4 {
		y -= 100 / 51.6 // five decades in steps of a quarter
	}
	return y
}

// summaryOf is what a list says of a run.
func summaryOf(run Run) Summary {
	s := Summary{Name: run.Name, Target: run.Target, Workload: run.Workload, Anomalies: []string{}, Faults: []string{}}
	s.Started, s.Took, s.Verdict, s.Reason = run.Started, run.Took, run.Verdict, run.Reason
	s.Seed, s.Bug, s.Ops = run.Seed, run.Bug, run.Ops
	var anomalies []fallacy.Anomaly
	for _, f := range run.Findings {
		anomalies = append(anomalies, f.Anomalies...)
	}
	s.Anomalies = append(s.Anomalies, names(anomalies)...)
	for _, f := range run.Faults {
		s.Faults = append(s.Faults, f.Name)
	}
	var stats statistics
	if detailsOf(run, "stats", &stats) {
		for _, q := range stats.Latency { // of the slowest function
			s.Median, s.P95 = max(s.Median, q.Median), max(s.P95, q.P95)
		}
	}
	if run.Took > 0 {
		s.Rate = float64(run.Ops.Invoked) / run.Took.Seconds()
	}
	return s
}
