package results

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Summary is what a list of runs says of one.
type Summary struct {
	Path      string          `json:"path"` // below the directory of runs
	Name      string          `json:"name"`
	Target    string          `json:"target"`
	Workload  string          `json:"workload"`
	Started   time.Time       `json:"started"`
	Took      time.Duration   `json:"took_ns"`
	Verdict   fallacy.Verdict `json:"verdict"`
	Reason    string          `json:"reason,omitempty"`
	Seed      uint64          `json:"seed"`
	Bug       string          `json:"bug,omitempty"`
	Ops       Counts          `json:"ops"`
	Anomalies []string        `json:"anomalies"` // "3 × lost"
	Faults    []string        `json:"faults"`
	Report    bool            `json:"report"`    // whether report.html is there
	Live      bool            `json:"live"`      // whether it seems to go on
	Median    time.Duration   `json:"median_ns"` // latency of the slowest function
	P95       time.Duration   `json:"p95_ns"`    // the same
	Rate      float64         `json:"rate"`      // operations a second
}

// Class is the verdict as the style sheet knows it.
func (s Summary) Class() string { _, class, _ := verdictWords(s.Verdict); return class }

// Mark is the verdict's sign.
func (s Summary) Mark() string { _, _, mark := verdictWords(s.Verdict); return mark }

// shelf reads the runs below a directory, and remembers those that did not change.
type shelf struct {
	lock  sync.Mutex
	known map[string]known
}

type known struct {
	modified time.Time
	size     int64
	summary  Summary
}

// runMax bounds what is read of a run.json.
const runMax = 64 << 20

// runs returns all runs, newest first. Directories that are no runs are left
// out; a run.json that cannot be read is an unknown run with the reason.
func (s *shelf) runs(root *os.Root) ([]Summary, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	groups, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	all := []Summary{}
	found := make(map[string]known)
	for _, g := range groups {
		if !g.IsDir() { // latest is a link, and would be counted twice
			continue
		}
		entries, err := fs.ReadDir(root.FS(), g.Name())
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			at := path.Join(g.Name(), e.Name())
			if k, ok := s.look(root, at); ok {
				found[at] = k
				all = append(all, k.summary)
			}
		}
	}
	s.known = found
	slices.SortStableFunc(all, func(a, b Summary) int {
		if c := b.Started.Compare(a.Started); c != 0 {
			return c
		}
		return strings.Compare(b.Path, a.Path)
	})
	return all, nil
}

// look returns the summary of the run at a path; ok is false if there is none.
func (s *shelf) look(root *os.Root, at string) (k known, ok bool) {
	info, err := root.Lstat(path.Join(at, runFile))
	if err != nil || !info.Mode().IsRegular() {
		return known{}, false
	}
	_, noReport := root.Lstat(path.Join(at, reportFile))
	k, ok = s.known[at]
	if !ok || !k.modified.Equal(info.ModTime()) || k.size != info.Size() {
		k = known{modified: info.ModTime(), size: info.Size(), summary: summarize(root, at)}
	}
	k.summary.Report = noReport == nil
	k.summary.Live = goesOn(root, at)
	return k, true
}

// liveFor is how long a history that does not grow is taken for one that may.
const liveFor = 30 * time.Second

// goesOn tells whether a run seems to be in progress: its history is plain, and
// was written to a short while ago.
func goesOn(root *os.Root, at string) bool {
	info, err := root.Lstat(path.Join(at, historyFile))
	return err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) < liveFor
}

func summarize(root *os.Root, at string) Summary {
	s := Summary{Path: at, Name: at, Anomalies: []string{}, Faults: []string{}}
	run, err := readRun(root, path.Join(at, runFile))
	if err != nil {
		s.Reason = runFile + " cannot be read: " + err.Error()
		if t, bad := time.Parse(timeLayout, path.Base(at)); bad == nil {
			s.Started = t
		}
		return s
	}
	s = summaryOf(run)
	s.Path = at
	return s
}

func readRun(root *os.Root, name string) (Run, error) {
	f, err := root.Open(name)
	if err != nil {
		return Run{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, runMax+1))
	if err != nil {
		return Run{}, err
	}
	if len(text) > runMax {
		return Run{}, errors.New("it is too large")
	}
	var run Run
	if err := json.Unmarshal(text, &run); err != nil {
		return Run{}, err
	}
	if run.Name == "" {
		return Run{}, errors.New("it names no target and workload")
	}
	return run, nil
}
