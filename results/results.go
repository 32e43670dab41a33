package results

import (
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Results is everything that the report says: the content of results.json,
// which is written with report.html. It holds all of run.json.
type Results struct {
	Run // all of run.json

	Headline  string           `json:"headline"`  // what became of the run, in a sentence behind the verdict
	Lead      []string         `json:"lead"`      // what led to it, a sentence each
	Stories   []ResultStory    `json:"stories"`   // the anomalies as the page tells them, the gravest first
	Episodes  []ResultEpisode  `json:"episodes"`  // the times at which faults were in force
	Functions []ResultFunction `json:"functions"` // how operations ended, by function
	ByNode    []ResultNode     `json:"by_node"`   // the same, by node
	Leaders   []ResultLeader   `json:"leaders"`   // when nodes believed that they led, by their logs
	Logs      []ResultLog      `json:"logs"`      // what was collected of nodes
	Resources []ResultUsage    `json:"resources"` // what the nodes' processes used
	Names     []ResultName     `json:"names"`     // what the names of the anomalies mean
}

// ResultStory is an anomaly with the operations that prove it.
type ResultStory struct {
	Name    string       `json:"name"`             // as the literature has it
	Checker string       `json:"checker"`          // that found it
	Meaning string       `json:"meaning"`          // the name in plain words
	Why     string       `json:"why"`              // a sentence that a reader can check
	Calls   []ResultCall `json:"calls"`            // that prove it, by the time of asking
	Steps   []ResultStep `json:"steps,omitempty"`  // of a cycle
	Stuck   *ResultStuck `json:"stuck,omitempty"`  // where every order of the calls ends
	During  []int        `json:"during"`           // places in episodes of the faults in force
	Rivals  []string     `json:"rivals,omitempty"` // who believed to lead at the same time, a sentence each
	Lines   []ResultLine `json:"lines,omitempty"`  // of logs, shortly before
}

// ResultCall is an operation with its answer.
type ResultCall struct {
	Name    string        `json:"name,omitempty"` // T1 and so on, in a cycle
	Op      int           `json:"op"`             // index of the invocation in the history
	Done    int           `json:"done,omitempty"` // index of the completion; none if it was never answered
	Process int           `json:"process"`        // who asked
	Node    string        `json:"node,omitempty"` // which was asked
	From    time.Duration `json:"from_ns"`        // when it was asked
	To      time.Duration `json:"to_ns"`          // when it was answered
	Words   string        `json:"words"`          // what was asked and seen
	Type    string        `json:"type"`           // ok, fail or info
	Outcome string        `json:"outcome"`        // how it ended, in words
}

// ResultStep is a reason why one operation must come before another.
type ResultStep struct {
	From string `json:"from"` // the name of the call that comes first
	To   string `json:"to"`   // of the one that comes after it
	Type string `json:"type"` // ww, wr, rw, process or realtime
	Why  string `json:"why"`  // in a sentence
}

// ResultLine is a line of a log.
type ResultLine struct {
	Node string        `json:"node"`  // whose log it is
	At   time.Duration `json:"at_ns"` // since the run began
	Text string        `json:"text"`  // the line, cut to a bound
}

// ResultEpisode is a time at which a fault was in force.
type ResultEpisode struct {
	Name     string                   `json:"name"`                       // of the fault
	Kind     string                   `json:"kind"`                       // partition, kill, pause, clock, disk or other
	What     string                   `json:"what"`                       // was done to whom
	From     time.Duration            `json:"from_ns"`                    // when it was asked for
	To       time.Duration            `json:"to_ns"`                      // when it was healed, or the run's end
	Verified bool                     `json:"verified"`                   // whether it was seen to take effect
	Trouble  string                   `json:"trouble,omitempty"`          // why not
	Seen     []string                 `json:"seen,omitempty"`             // what was seen of it
	Healed   string                   `json:"healed,omitempty"`           // how it ended; none: it never was healed
	Served   string                   `json:"served_again,omitempty"`     // how long the slowest node took to serve again
	Clocks   map[string]time.Duration `json:"clock_offsets_ns,omitempty"` // by node: how far off its clock was seen to be
	Cut      [][2]string              `json:"links_cut,omitempty"`        // from whom to whom nothing came through
}

// ResultFunction is how the operations of one function ended.
type ResultFunction struct {
	Name   string        `json:"name"`             // of the function
	OK     int           `json:"ok"`               // that happened
	Fail   int           `json:"fail"`             // that did not
	Info   int           `json:"info"`             // of which nobody knows
	Median time.Duration `json:"p50_ns,omitempty"` // latency of those that were ok or failed: half were faster
	P95    time.Duration `json:"p95_ns,omitempty"` // 95 % were faster
	P99    time.Duration `json:"p99_ns,omitempty"` // 99 % were faster
	Max    time.Duration `json:"max_ns,omitempty"` // the slowest
}

// ResultNode is how the operations that one node was asked for ended.
type ResultNode struct {
	Name       string        `json:"name"`           // of the node
	OK         int           `json:"ok"`             // that happened
	Fail       int           `json:"fail"`           // that did not
	Info       int           `json:"info"`           // of which nobody knows
	Outage     time.Duration `json:"outage_ns"`      // the longest time without an ok
	OutageFrom time.Duration `json:"outage_from_ns"` // when that began
}

// ResultLeader is a time at which a node believed that it led.
type ResultLeader struct {
	Node string        `json:"node"`           // that led
	Term string        `json:"term,omitempty"` // as its log has it
	From time.Duration `json:"from_ns"`        // when its log says that it led
	To   time.Duration `json:"to_ns"`          // when its log says that it did no more, it was killed, or the run ended
}

// ResultLog is a file that a node's process wrote.
type ResultLog struct {
	Node  string `json:"node"`  // whose it is
	Name  string `json:"name"`  // below nodes/<node>/
	Bytes int    `json:"bytes"` // its size
	Lines int    `json:"lines"` // that were read
}

// ResultName is what an anomaly's name means.
type ResultName struct {
	Name       string `json:"name"`                 // as the literature has it
	Meaning    string `json:"meaning"`              // in plain words
	Definition string `json:"definition,omitempty"` // what exactly it is
	Source     string `json:"source,omitempty"`     // who says so
}

// resultsOf collects what a page says.
func resultsOf(v *view, stories []*story, episodes []*episode, files []*logFile) Results {
	r := Results{Run: v.Run, Headline: v.Headline, Lead: v.Lead}
	for _, s := range stories[:min(len(stories), storiesMax+namedMax)] {
		r.Stories = append(r.Stories, s.result(episodes))
	}
	for i, e := range episodes {
		r.Episodes = append(r.Episodes, e.result(v.Episodes[i].Served))
	}
	for _, f := range v.Functions {
		row := ResultFunction{Name: f.Name, OK: f.OK, Fail: f.Fail, Info: f.Info}
		if q := f.Quantiles; q != nil {
			row.Median, row.P95, row.P99, row.Max = q.Median, q.P95, q.P99, q.Max
		}
		r.Functions = append(r.Functions, row)
	}
	for _, n := range v.ByNode {
		row := ResultNode{Name: n.Name, OK: n.OK, Fail: n.Fail, Info: n.Info}
		if n.Outage != nil {
			row.Outage, row.OutageFrom = n.Outage.Lasted, n.Outage.From
		}
		r.ByNode = append(r.ByNode, row)
	}
	for _, l := range leadsOf(files) {
		r.Leaders = append(r.Leaders, ResultLeader{l.node, l.term, l.from, l.to})
	}
	for _, f := range files {
		r.Logs = append(r.Logs, ResultLog{f.Node, f.Name, f.Size, f.Lines})
	}
	for _, n := range v.Names {
		r.Names = append(r.Names, ResultName(n))
	}
	return r
}

func (s *story) result(episodes []*episode) ResultStory {
	r := ResultStory{Name: s.Name, Checker: s.Checker, Meaning: s.Meaning, Why: s.Why, Stuck: s.Stuck.result(), During: []int{}, Rivals: s.Rivals}
	for _, c := range s.Calls {
		r.Calls = append(r.Calls, ResultCall{c.Name, c.Op, c.Done, c.Process, c.Node, c.From, c.To, c.Words, c.Type, c.Outcome})
	}
	for _, st := range s.Steps {
		why := ""
		for _, p := range st.Why {
			why += p.Text
		}
		r.Steps = append(r.Steps, ResultStep{st.From, st.To, st.Type, why})
	}
	for i, e := range episodes {
		for _, d := range s.During {
			if d == e {
				r.During = append(r.During, i)
			}
		}
	}
	for _, l := range s.Lines {
		r.Lines = append(r.Lines, ResultLine(l))
	}
	return r
}

func (e *episode) result(served string) ResultEpisode {
	r := ResultEpisode{
		Name: e.Nemesis, Kind: e.Kind, What: e.What, From: e.From, To: e.To, Verified: e.Verified(), Trouble: e.Trouble,
		Seen: e.Seen, Healed: e.Healed, Served: served, Clocks: e.Read,
	}
	for _, from := range sortedKeys(e.Damage) {
		for _, to := range sortedKeys(e.Damage[from].Links) {
			if l := e.Damage[from].Links[to]; l.Cut || l.Reset || l.Stall {
				r.Cut = append(r.Cut, [2]string{from, to})
			}
		}
	}
	return r
}

// LoadResults reads results.json. Runs that were made before there was one have
// none: their report is to be made again.
func (d *Dir) LoadResults() (Results, error) {
	var r Results
	return r, d.loadJSON(resultsFile, &r)
}

// WriteReport writes report.html and results.json, or replaces them. The run's
// findings may be those just made or those read from run.json.
func (d *Dir) WriteReport(run Run, h fallacy.History) error {
	v, err := newView(run, h, d.nodes())
	if err == nil {
		err = d.replace(reportFile, v.write)
	}
	if err == nil {
		err = d.SaveJSON(resultsFile, v.results)
	}
	if err != nil {
		return reporting(d.path, err)
	}
	return nil
}
