package suite

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Summary is what a suite came to.
type Summary struct {
	Name     string        `json:"name"`
	Hash     string        `json:"hash"` // of the suite's file
	Planned  int           `json:"planned"`
	Outcomes []Outcome     `json:"outcomes"`
	Groups   []Group       `json:"groups"`
	Changes  []Change      `json:"changes,omitempty"` // since the baseline
	Baseline string        `json:"baseline,omitempty"`
	Ended    string        `json:"ended,omitempty"` // why it ended early
	Took     time.Duration `json:"took_ns"`         // of all tests together
}

// Group is a test with all its seeds.
type Group struct {
	Group   string          `json:"group"`
	Expect  fallacy.Verdict `json:"expect"`
	Invalid Share           `json:"invalid"` // of the runs with a verdict
	Unknown int             `json:"unknown"` // runs without
	NotRun  int             `json:"not_run"`
	Took    time.Duration   `json:"took_ns"` // a run, on average
}

// Summarize judges outcomes of a suite of which so many were planned.
func Summarize(head Head, outcomes []Outcome, ended error) Summary {
	s := Summary{Name: head.Name, Hash: head.Hash, Planned: head.Planned}
	if ended != nil {
		s.Ended = ended.Error()
	}
	last := make(map[string]int) // by ID: what was tried again counts once
	for _, o := range outcomes {
		if at, ok := last[o.ID()]; ok {
			s.Outcomes[at] = o
			continue
		}
		last[o.ID()] = len(s.Outcomes)
		s.Outcomes = append(s.Outcomes, o)
	}
	at := make(map[string]int)
	var order []string
	groups := make(map[string][]Outcome)
	for _, o := range s.Outcomes {
		if _, ok := at[o.Group()]; !ok {
			at[o.Group()] = len(order)
			order = append(order, o.Group())
		}
		groups[o.Group()] = append(groups[o.Group()], o)
		s.Took += o.Took
	}
	slices.Sort(order)
	for _, name := range order {
		s.Groups = append(s.Groups, groupOf(name, groups[name]))
	}
	return s
}

func groupOf(name string, outcomes []Outcome) Group {
	g := Group{Group: name, Expect: outcomes[0].Expect}
	invalid, judged := 0, 0
	for _, o := range outcomes {
		g.Took += o.Took / time.Duration(len(outcomes))
		switch {
		case o.Trouble != "":
			g.NotRun++
		case o.Verdict == fallacy.Unknown:
			g.Unknown++
		default:
			judged++
			if o.Verdict == fallacy.Invalid {
				invalid++
			}
		}
	}
	g.Invalid = NewShare(invalid, judged)
	return g
}

// Worst is the worst status of all; a test that was not run at all is unknown.
func (s Summary) Worst() Status {
	worst := AsExpected
	if len(s.Outcomes) < s.Planned || len(s.Outcomes) == 0 {
		worst = NotKnown
	}
	order := []Status{AsExpected, NotKnown, NotRun, Unexpected}
	for _, o := range s.Outcomes {
		if slices.Index(order, o.Status()) > slices.Index(order, worst) {
			worst = o.Status()
		}
	}
	return worst
}

// Count is how many outcomes have a status.
func (s Summary) Count(status Status) (n int) {
	for _, o := range s.Outcomes {
		if o.Status() == status {
			n++
		}
	}
	return n
}

// Sentence says what the suite came to.
func (s Summary) Sentence() string {
	text := fmt.Sprintf("%d of %d tests as expected", s.Count(AsExpected), s.Planned)
	for _, status := range []Status{Unexpected, NotRun, NotKnown} {
		if n := s.Count(status); n > 0 {
			text += fmt.Sprintf(", %d %s", n, status)
		}
	}
	if n := s.Planned - len(s.Outcomes); n > 0 {
		text += fmt.Sprintf(", %d left undone", n)
	}
	if s.Ended != "" {
		text += ": " + s.Ended
	}
	return text
}

// Durations are what tests took, by group.
func (s Summary) Durations() map[string]time.Duration {
	took := make(map[string]time.Duration)
	for _, g := range s.Groups {
		took[g.Group] = g.Took
	}
	return took
}

// ReadSummary reads what an earlier suite came to.
func ReadSummary(path string) (Summary, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Summary{}, err
	}
	var s Summary
	if err := json.Unmarshal(text, &s); err != nil {
		return Summary{}, fmt.Errorf("%s is no summary of a suite: %w", path, err)
	}
	if s.Name == "" || len(s.Groups) == 0 {
		return Summary{}, fmt.Errorf("%s is no summary of a suite: it names no tests", path)
	}
	return s, nil
}
