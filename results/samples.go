package results

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// samplesFile holds what a node's process used over time, beside its logs: JSON
// lines, each a Sample.
const samplesFile = "resources.jsonl"

// Sample is what the target's processes used on a node at one time. Numbers that
// the system did not tell are negative.
type Sample struct {
	At      time.Duration `json:"at_ns"`         // since the run began; negative: before
	PID     int           `json:"pid"`           // of the target's first process; 0: none ran
	CPU     time.Duration `json:"cpu_ns"`        // of all processors, since that process began
	Memory  int64         `json:"memory_bytes"`  // resident
	Files   int           `json:"open_files"`    // sockets among them
	Threads int           `json:"threads"`       // that run or wait
	Read    int64         `json:"read_bytes"`    // fetched from storage, since that process began
	Written int64         `json:"written_bytes"` // sent to storage, since that process began
}

// samplesMax bounds how many samples of a node are read, should somebody else
// have written the file.
const samplesMax = 1 << 16

// SaveSamples writes what a node's process used, in the order of time.
func (d *Dir) SaveSamples(node string, all []Sample) (err error) {
	dir := filepath.Join(d.path, nodesDir, safeName(node))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("saving what node %s used: %w", node, err)
	}
	f, err := os.Create(filepath.Join(dir, samplesFile))
	if err != nil {
		return fmt.Errorf("saving what node %s used: %w", node, err)
	}
	out := bufio.NewWriter(f)
	lines := json.NewEncoder(out)
	for _, s := range all {
		if err = lines.Encode(s); err != nil {
			break
		}
	}
	if err = cmp.Or(err, out.Flush(), f.Close()); err != nil {
		return fmt.Errorf("saving what node %s used: %w", node, err)
	}
	return nil
}

// usage is what a node's process used, as the page has it.
type usage struct {
	node    string
	samples []Sample
	trouble string // why there are none, or why not all
}

// usageOf reads what the nodes' processes used. Like logs it is looked at, not
// relied on.
func usageOf(run Run, from fs.FS) []usage {
	var all []usage
	for _, node := range run.Nodes {
		u := usage{node: node}
		if i := slices.IndexFunc(run.Members, func(m Member) bool { return m.Node == node }); i >= 0 {
			u.trouble = run.Members[i].NoSamples
		}
		if from != nil {
			var err error
			if u.samples, err = readSamples(from, safeName(node)+"/"+samplesFile); err != nil {
				u.trouble = err.Error()
			}
		}
		all = append(all, u)
	}
	return all
}

// readSamples reads a file of samples; of one that is not there, none.
func readSamples(from fs.FS, path string) ([]Sample, error) {
	f, err := from.Open(path)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	var all []Sample
	lines := json.NewDecoder(bufio.NewReader(f))
	for len(all) < samplesMax {
		var s Sample
		switch err := lines.Decode(&s); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return all, fmt.Errorf("line %d of %s: %w", len(all)+1, path, err)
		}
		all = append(all, s)
	}
	return all, nil
}

// peak is the most that a node's process used.
type peak struct {
	CPU           float64 // processors at once, between two samples
	Memory        int64   // bytes; negative: not known
	Files         int
	Threads       int
	Read, Written int64 // bytes, of all processes that ran one after another
	Starts        int   // processes seen
}

func (u usage) peak() peak {
	p := peak{Memory: -1, Files: -1, Threads: -1}
	for i, s := range u.samples {
		if s.PID == 0 {
			continue
		}
		p.Memory, p.Files, p.Threads = max(p.Memory, s.Memory), max(p.Files, s.Files), max(p.Threads, s.Threads)
		before := Sample{At: s.At}
		if i > 0 && u.samples[i-1].PID == s.PID {
			before = u.samples[i-1]
			p.CPU = max(p.CPU, cores(before, s))
		} else {
			p.Starts++
		}
		p.Read, p.Written = grown(p.Read, before.Read, s.Read), grown(p.Written, before.Written, s.Written)
	}
	return p
}

// cores is how many processors were at work between two samples of a process.
// A child that ended unseen takes its time with it.
func cores(a, b Sample) float64 {
	return max(0, float64(b.CPU-a.CPU)/float64(max(1, b.At-a.At)))
}

// grown adds what came to a count that a process began at 0; below 0: not known.
func grown(sum, before, now int64) int64 {
	if sum < 0 || before < 0 || now < 0 {
		return -1
	}
	return sum + max(0, now-before)
}

// thinned returns about most of the samples, evenly chosen.
func thinned(all []Sample, most int) []Sample {
	every := (len(all) + most - 1) / max(1, most)
	if every <= 1 {
		return all
	}
	var some []Sample
	for i := 0; i < len(all); i += every {
		some = append(some, all[i])
	}
	return some
}
