package results

import (
	"html/template"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// view is all that the template of the report shows.
type view struct {
	Run     Run
	Style   template.HTML
	Script  template.HTML
	Policy  string
	Data    template.HTML // base64, which holds no markup
	Command string
	Again   string // how to run the same faults again

	Word, Class, Mark string // the verdict: "Invalid", "bad", "✕"
	Headline          string // the rest of its sentence
	Lead              []string
	Counts            Counts
	Shares            []share
	Processes         int

	Stories    []*story // those at once, those on demand, and those in a sentence
	More       []*story
	Named      []*story
	Anomalies  int
	Unknown    []Finding // those that could not tell
	Episodes   []faultRow
	Matrices   []*matrix
	Unverified int
	Nodes      []string
	Recoveries []recoveryRow
	Functions  []statRow
	ByNode     []statRow
	Checkers   []checkerRow
	Parameters []parameter
	Names      []glossaryRow
	Models     string // of transactions: which were asked for and which were broken
	Logs       []*logFile
	Members    []memberRow
	Versions   string // of the target, as the nodes say
	Charted    bool   // what the nodes used can be drawn

	results Results
}

type share struct {
	Name    string
	Count   int
	Percent float64
}

type faultRow struct {
	*episode
	ID        int
	Served    string
	FromShare float64 // of the run, in percent
	Share     float64
}

type checkerRow struct {
	Finding
	Class, Mark, Word string
	Found             []string
	Pretty            string
}

type parameter struct{ Name, Value string }

func newView(run Run, h fallacy.History, from fs.FS) (*view, error) {
	c := callsOf(run, h)
	if run.Ops == (Counts{}) {
		run.Ops = Count(h)
	}
	if run.Took == 0 {
		run.Took = c.end
	}
	episodes := episodesOf(h, c.end)
	if len(episodes) == 0 {
		episodes = foreignEpisodes(h, c.end)
	}
	stories := storiesOf(run, c, episodes)
	files := (&logs{epoch: run.Epoch, episodes: episodes, stories: stories, end: c.end}).read(from)
	tellLogs(stories, files)
	used := usageOf(run, from)
	data, err := dataOf(c, episodes, stories, files, used)
	if err != nil {
		return nil, err
	}
	v := &view{Run: run, Style: pageStyle(styles...), Data: template.HTML(data), Command: quoted(run.Command), Counts: run.Ops, Nodes: c.nodes, Anomalies: len(stories)}
	v.Stories, v.More, v.Named = stories[:min(openMax, len(stories))], between(stories, openMax, storiesMax), between(stories, storiesMax, storiesMax+namedMax)
	v.Script, v.Policy = pageScript(scripts...)
	v.Word, v.Class, v.Mark = verdictWords(run.Verdict)
	if len(episodes) > 0 && v.Ran() {
		v.Again = quoted([]string{"fallacy", "run", run.Name, "--plan", "plan.json"})
		if run.Bug != "" {
			v.Again = quoted([]string{"fallacy", "run", run.Name, "--bug", run.Bug, "--plan", "plan.json"})
		}
	}
	v.addShares()
	v.addFaults(episodes, c.end)
	v.Matrices = matricesOf(episodes, c.nodes)
	v.addTables(h, c)
	v.Headline, v.Lead = headline(run, stories, episodes)
	v.Names, v.Models = glossary(stories), modelsOf(run)
	v.Logs, v.Members, v.Versions = files, membersOf(run, used), versionsOf(run)
	v.Charted = slices.ContainsFunc(used, func(u usage) bool { return len(u.samples) > 0 }) && len(used) <= stripsMost
	v.results = resultsOf(v, stories, episodes, files)
	v.results.Resources = resultUsage(used)
	return v, nil
}

// Ran tells whether fallacy ran it: else there is a history only.
func (v *view) Ran() bool { return !v.Run.Started.IsZero() }

// Circles tells whether a story that is told in full is a cycle.
func (v *view) Circles() bool {
	return slices.ContainsFunc(slices.Concat(v.Stories, v.More), func(s *story) bool { return len(s.Steps) > 0 })
}

// Stamped tells whether a log has lines with times.
func (v *view) Stamped() bool { return slices.ContainsFunc(v.Logs, (*logFile).Stamped) }

func between(all []*story, from, to int) []*story {
	return all[min(from, len(all)):min(to, len(all))]
}

func verdictWords(verdict fallacy.Verdict) (word, class, mark string) {
	switch verdict {
	case fallacy.Valid:
		return "Valid", "good", "✓"
	case fallacy.Invalid:
		return "Invalid", "bad", "✕"
	}
	return "Unknown", "unk", "?"
}

func (v *view) addShares() {
	total := max(1, v.Counts.OK+v.Counts.Fail+v.Counts.Info)
	for _, s := range []share{{Name: "ok", Count: v.Counts.OK}, {Name: "fail", Count: v.Counts.Fail}, {Name: "info", Count: v.Counts.Info}} {
		s.Percent = 100 * float64(s.Count) / float64(total)
		v.Shares = append(v.Shares, s)
	}
}

func (v *view) addFaults(episodes []*episode, end time.Duration) {
	var r recoveries
	detailsOf(v.Run, "recovery", &r)
	served := slowestOf(r)
	scale := 100 / max(1, float64(end))
	for i, e := range episodes {
		row := faultRow{episode: e, ID: i, FromShare: float64(e.From) * scale, Share: max(0.6, float64(e.To-e.From)*scale)}
		if e.HealOp >= 0 {
			row.Served = served[e.HealOp]
		}
		if !e.Verified() {
			v.Unverified++
		}
		v.Episodes = append(v.Episodes, row)
	}
}

func (v *view) addTables(h fallacy.History, c *calls) {
	var stats statistics
	if detailsOf(v.Run, "stats", &stats) {
		v.Functions, v.ByNode = statRows(stats.Functions, stats.Latency), statRows(stats.Nodes, nil)
		outages := outagesOf(c)
		for i := range v.ByNode {
			v.ByNode[i].Outage = outages[v.ByNode[i].Name]
		}
	}
	var r recoveries
	if detailsOf(v.Run, "recovery", &r) {
		v.Recoveries = recoveryRows(r, h, c.nodes)
	}
	processes := make(map[int]bool)
	for _, call := range c.all {
		processes[call.Invoke.Process] = true
	}
	v.Processes = len(processes)
	for _, f := range v.Run.Findings {
		row := checkerRow{Finding: f, Pretty: pretty(f.Details), Found: names(f.Anomalies)}
		row.Word, row.Class, row.Mark = verdictWords(f.Verdict)
		v.Checkers = append(v.Checkers, row)
		if f.Verdict == fallacy.Unknown {
			v.Unknown = append(v.Unknown, f)
		}
	}
	slices.SortStableFunc(v.Checkers, func(a, b checkerRow) int { return rank(a.Verdict) - rank(b.Verdict) })
	v.Parameters = parametersOf(v.Run)
}

// rank orders verdicts from the worst.
func rank(v fallacy.Verdict) int {
	return slices.Index([]fallacy.Verdict{fallacy.Invalid, fallacy.Unknown, fallacy.Valid}, v)
}

// names counts anomalies by name: "3 nonlinearizable".
func names(anomalies []fallacy.Anomaly) []string {
	counts := make(map[string]int)
	var order []string
	for _, a := range anomalies {
		if counts[a.Name] == 0 {
			order = append(order, a.Name)
		}
		counts[a.Name]++
	}
	for i, n := range order {
		order[i] = count(counts[n]) + " × " + n
	}
	return order
}

func parametersOf(run Run) []parameter {
	rate := "as fast as they go"
	if run.Rate > 0 {
		rate = strings.TrimSuffix(fmtFloat(run.Rate), ".0") + nbsp + "operations a second"
	}
	var faults []string
	for _, f := range run.Faults {
		faults = append(faults, f.Name)
	}
	all := []parameter{
		{"target", run.Target}, {"version", versionsOf(run)}, {"workload", run.Workload}, {"planted bug", run.Bug}, {"seed", fmtUint(run.Seed)},
		{"nodes", strings.Join(run.Nodes, ", ")}, {"reached by", run.Remote}, {"processes at once", itoa(run.Concurrency)}, {"rate", rate},
		{"time", lasting(run.Time)}, {"operation timeout", lasting(run.OpTimeout)}, {"recovery waited for", "at most " + lasting(run.Recovery)},
		{"faults", strings.Join(faults, ", ")}, {"fallacy", run.Version}, {"system", run.System},
	}
	all = slices.DeleteFunc(all, func(p parameter) bool { return p.Value == "" })
	if run.Started.IsZero() { // nobody knows how the history came about
		all = []parameter{{"history", run.Name}, {"workload", run.Workload}, {"fallacy", run.Version}}
	}
	for _, name := range sortedKeys(run.Parameters) {
		all = append(all, parameter{name, run.Parameters[name]})
	}
	for _, node := range sortedKeys(run.Clocks) {
		all = append(all, parameter{"clock of " + node, run.Clocks[node]})
	}
	return all
}
