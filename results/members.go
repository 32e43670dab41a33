package results

import (
	"slices"
	"strconv"
	"strings"
)

// Bounds of what the page has of the use of resources, of all nodes together.
const (
	pointsMax  = 20_000
	stripsMost = 40 // nodes with charts
)

// memberRow is a node in the section Nodes.
type memberRow struct {
	Member
	Peak    peak
	Sampled bool // whether it is known what its process used
}

// Command is its process's command, as a shell has it.
func (m memberRow) Command() string { return quoted(m.Argv) }

// Configured tells whether there is anything to show of its configuration.
func (m memberRow) Configured() bool { return len(m.Argv)+len(m.Env)+len(m.Files) > 0 }

// Kept is one of the files that the target was given.
type kept struct{ Name, Content string }

// Kept returns the files that the target was given, by name.
func (m memberRow) Kept() []kept {
	var all []kept
	for _, name := range sortedKeys(m.Files) {
		all = append(all, kept{name, m.Files[name]})
	}
	return all
}

// membersOf joins what is known of each node: how it was run, and what it used.
func membersOf(run Run, used []usage) []memberRow {
	var rows []memberRow
	for _, u := range used {
		row := memberRow{Member: Member{Node: u.node}, Peak: u.peak(), Sampled: len(u.samples) > 0}
		if i := slices.IndexFunc(run.Members, func(m Member) bool { return m.Node == u.node }); i >= 0 {
			row.Member = run.Members[i]
		}
		row.NoSamples = u.trouble
		if len(run.Members) > 0 || row.Sampled {
			rows = append(rows, row)
		}
	}
	return rows
}

// versionsOf says which versions the nodes run, the same ones once.
func versionsOf(run Run) string {
	by := make(map[string][]string)
	var order []string
	for _, m := range run.Members {
		said := strings.Join(m.Versions, ", then ")
		if said == "" {
			continue
		}
		if by[said] == nil {
			order = append(order, said)
		}
		by[said] = append(by[said], m.Node)
	}
	for i, said := range order {
		if len(by[said]) < len(run.Members) {
			order[i] += " on " + listing(by[said])
		}
	}
	return strings.Join(order, "; ")
}

// Image says what the nodes were made from, if it is known.
func (v *view) Image() string { return v.Run.Parameters["image"] }

// size writes a number of bytes with three digits that matter; negative: not known.
func size(n int64) string {
	if n < 0 {
		return "not known"
	}
	x, unit := float64(n), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for x >= 1000 && unit < len(units)-1 {
		x, unit = x/1024, unit+1
	}
	digits := 0
	if unit > 0 {
		digits = max(0, 3-len(strconv.Itoa(int(x))))
	}
	return strconv.FormatFloat(x, 'f', digits, 64) + nbsp + units[unit]
}

// atMost writes a number; negative: not known.
func atMost(n int) string {
	if n < 0 {
		return "not known"
	}
	return count(n)
}

// processors writes how many are at work.
func processors(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }

// headerUsage is what a node's process used, as the script of the page reads it:
// a column for each number, the counts as they grew.
type headerUsage struct {
	Node    int     `json:"node"`
	At      []int64 `json:"at"`  // milliseconds
	PID     []int   `json:"pid"` // 0: none ran
	CPU     []int64 `json:"cpu"` // milliseconds
	Memory  []int64 `json:"mem"` // KiB, as everything below that is in bytes
	Files   []int   `json:"files"`
	Threads []int   `json:"threads"`
	Read    []int64 `json:"read"`
	Written []int64 `json:"written"`
}

func (p *packer) usage(used []usage) []headerUsage {
	var all []headerUsage
	for _, u := range used {
		node := slices.Index(p.calls.nodes, u.node)
		if node < 0 || len(u.samples) == 0 || len(used) > stripsMost {
			continue
		}
		h := headerUsage{Node: node}
		for _, s := range thinned(u.samples, pointsMax/len(used)) {
			h.At, h.PID, h.CPU = append(h.At, s.At.Milliseconds()), append(h.PID, s.PID), append(h.CPU, s.CPU.Milliseconds())
			h.Memory, h.Files, h.Threads = append(h.Memory, s.Memory>>10), append(h.Files, s.Files), append(h.Threads, s.Threads)
			h.Read, h.Written = append(h.Read, s.Read>>10), append(h.Written, s.Written>>10)
		}
		all = append(all, h)
	}
	return all
}

// ResultUsage is what a node's process used.
type ResultUsage struct {
	Node    string   `json:"node"`              // the node
	Trouble string   `json:"trouble,omitempty"` // why it is not known, or not all of it
	CPU     float64  `json:"cpu_peak"`          // the most processors at work between two samples
	Memory  int64    `json:"memory_peak_bytes"` // the most that was resident; negative: not known, as below
	Files   int      `json:"open_files_peak"`   // the most open files
	Threads int      `json:"threads_peak"`      // the most threads
	Read    int64    `json:"read_bytes"`        // fetched from storage, over the run
	Written int64    `json:"written_bytes"`     // sent to storage, over the run
	Starts  int      `json:"processes"`         // how many processes were seen, one after another
	Samples []Sample `json:"samples"`           // over time; of many, some: nodes/<node>/resources.jsonl has all
}

func resultUsage(used []usage) []ResultUsage {
	var all []ResultUsage
	for _, u := range used {
		if len(u.samples) == 0 && u.trouble == "" {
			continue
		}
		p := u.peak()
		all = append(all, ResultUsage{u.node, u.trouble, p.CPU, p.Memory, p.Files, p.Threads, p.Read, p.Written, p.Starts, thinned(u.samples, pointsMax/len(used))})
	}
	return all
}
