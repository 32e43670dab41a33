package results

import (
	"errors"
	"fmt"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Run is all that is known of a run besides its history: the content of
// run.json. Durations are whole nanoseconds there, in fields that end in _ns.
type Run struct {
	Name     string `json:"name"`     // "refstore/register"
	Target   string `json:"target"`   // "refstore"
	Workload string `json:"workload"` // "register"
	Promise  string `json:"promise"`  // what was checked, in words: the workload's title

	Claims []string `json:"claims,omitempty"` // what the target's makers say of it, each with its source

	Verdict fallacy.Verdict `json:"verdict"`          // the worst of the findings
	Reason  string          `json:"reason,omitempty"` // why it is not known, or what went wrong, in a sentence

	Started     time.Time     `json:"started"`               // when fallacy began
	Epoch       time.Time     `json:"epoch,omitzero"`        // the instant that is 0 in the history
	Took        time.Duration `json:"took_ns"`               // from the first to the last op
	Interrupted bool          `json:"interrupted,omitempty"` // ended before its time, by a signal

	Command []string `json:"command"`           // how to run it again: argv, the seed included
	Version string   `json:"version"`           // fallacy's own
	System  string   `json:"system"`            // the controller's: "linux/amd64"
	Remote  string   `json:"remote"`            // how the nodes were reached: "local"
	Faults  []Fault  `json:"faults"`            // those that were asked for
	Bug     string   `json:"bug,omitempty"`     // the planted one
	BugDoc  string   `json:"bug_doc,omitempty"` // what it does
	Nodes   []string `json:"nodes"`             // by name
	Seed    uint64   `json:"seed"`              // fixes every random choice
	Rate    float64  `json:"rate,omitempty"`    // operations a second; 0: as fast as they go

	Concurrency int           `json:"concurrency"`   // processes at once
	Time        time.Duration `json:"time_ns"`       // how long operations and faults were to go on
	OpTimeout   time.Duration `json:"op_timeout_ns"` // after which nobody knows how an operation ends
	Recovery    time.Duration `json:"recovery_ns"`   // how long recovery was waited for, at most

	Parameters map[string]string `json:"parameters,omitempty"` // whatever else was chosen
	Clocks     map[string]string `json:"clocks,omitempty"`     // by node: why its clock cannot be skewed

	Members []Member `json:"members,omitempty"` // how the nodes were run, in the order of nodes

	Ops      Counts    `json:"ops"`      // how the clients' operations ended
	Findings []Finding `json:"findings"` // one of each checker
}

// Member is how a node was run, and what it says of itself.
type Member struct {
	Node      string            `json:"node"`                   // its name
	Versions  []string          `json:"versions,omitempty"`     // the target's own, as the node said: at the start, and if it was another at the end, that
	NoVersion string            `json:"no_version,omitempty"`   // why the target's version is not known
	Argv      []string          `json:"argv,omitempty"`         // as the process was run
	Program   string            `json:"program,omitempty"`      // the file that was run, on the node
	Env       []string          `json:"env,omitempty"`          // what the target added to the environment, as KEY=value
	Dir       string            `json:"dir,omitempty"`          // working directory, on the node
	User      string            `json:"user,omitempty"`         // number of the user and of the group; none: whoever the agent is
	Files     map[string]string `json:"files,omitempty"`        // that were written before the start: path below the node's data directory, content (cut to 16 KiB)
	NoSamples string            `json:"no_resources,omitempty"` // why it is not known what the process used, or not all of it
}

// Fault is a fault that was asked for.
type Fault struct {
	Name    string `json:"name"`    // "partition:halves"
	Title   string `json:"title"`   // the first line of its manual page
	Fallacy string `json:"fallacy"` // the belief that it punishes
}

// Finding is what one checker said, and how long it took to say it.
type Finding struct {
	Checker string `json:"checker"` // its name
	Title   string `json:"title"`   // the first line of its manual page: the promise
	fallacy.Finding
	Took time.Duration `json:"took_ns"` // how long it took to say so
}

// Counts is how clients' operations ended. Those that were never answered are in Info.
type Counts struct {
	Invoked int `json:"invoked"` // asked for
	OK      int `json:"ok"`      // happened
	Fail    int `json:"fail"`    // did not happen
	Info    int `json:"info"`    // nobody knows
}

// Count returns how the clients' operations of a history ended.
func Count(h fallacy.History) Counts {
	var c Counts
	for i := range h {
		if !h[i].IsClient() {
			continue
		}
		switch h[i].Type {
		case fallacy.Invoke:
			c.Invoked++
		case fallacy.OK:
			c.OK++
		case fallacy.Fail:
			c.Fail++
		}
	}
	c.Info = max(0, c.Invoked-c.OK-c.Fail)
	return c
}

// SaveRun writes run.json, or replaces it. It is to be called at the start of a
// run as well, so that a run whose controller was killed can still be judged.
func (d *Dir) SaveRun(run Run) error {
	if run.Verdict == fallacy.Unknown && run.Reason == "" && len(run.Findings) == 0 {
		run.Reason = "the run did not finish"
	}
	return d.SaveJSON(runFile, run)
}

// LoadRun reads run.json.
func (d *Dir) LoadRun() (Run, error) {
	var run Run
	if err := d.loadJSON(runFile, &run); err != nil {
		return Run{}, fmt.Errorf("reading %s of run %s: %w", runFile, d.path, err)
	}
	if run.Name == "" {
		return Run{}, fmt.Errorf("reading %s of run %s: %w", runFile, d.path, errors.New("it names no target and workload"))
	}
	return run, nil
}
