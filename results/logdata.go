package results

import (
	"cmp"
	"slices"
	"time"
)

// headerLogs is the lines of logs as the script of the page reads them, in the
// order of time: of each its file, its place in microseconds, its level, how
// many lines of its file are left out before it, and its text.
type headerLogs struct {
	Files []headerLogFile `json:"files"`
	File  []int           `json:"file"`
	At    []int64         `json:"at"`
	Level []int           `json:"level"`
	Left  []int           `json:"left"`
	Text  []string        `json:"text"`
}

type headerLogFile struct {
	Node int    `json:"node"` // -1: none that is known
	Name string `json:"name"`
}

// headerLead is a time during which a node believed that it led.
type headerLead struct {
	Node int     `json:"node"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
	Term string  `json:"term"`
}

// place is a line of a file.
type place struct {
	file int
	line logLine
}

// inOrder returns the lines of all files by time; those of one file stay in their order.
func inOrder(files []*logFile) []place {
	var all []place
	for i, f := range files {
		last := noTime
		for _, n := range f.lines {
			last = max(last, n.at)
			n.at = last
			all = append(all, place{i, n})
		}
	}
	slices.SortStableFunc(all, func(a, b place) int { return cmp.Compare(a.line.at, b.line.at) })
	return all
}

func (p *packer) logs(files []*logFile) headerLogs {
	var h headerLogs
	for _, f := range files {
		h.Files = append(h.Files, headerLogFile{slices.Index(p.calls.nodes, f.Node), shown(f.Name)})
	}
	for _, at := range inOrder(files) {
		when := max(at.line.at, -time.Hour) // noTime, above all
		h.File, h.At, h.Level = append(h.File, at.file), append(h.At, when.Microseconds()), append(h.Level, at.line.level)
		h.Left, h.Text = append(h.Left, at.line.left), append(h.Text, at.line.text)
	}
	return h
}

func (p *packer) leads(files []*logFile) []headerLead {
	var all []headerLead
	for _, l := range leadsOf(files) {
		if node := slices.Index(p.calls.nodes, l.node); node >= 0 {
			all = append(all, headerLead{node, max(0, l.from).Seconds(), l.to.Seconds(), shown(l.term)})
		}
	}
	return all
}

func leadsOf(files []*logFile) []leads {
	var all []leads
	for _, f := range files {
		all = append(all, f.leads...)
	}
	return all
}

// storyLine is a line of a log as a story quotes it.
type storyLine struct {
	Node string
	At   time.Duration
	Text string
}

// Bounds of what a story quotes of logs.
const (
	quotedMax   = 6
	quotedText  = 160
	quotedAfter = 50 * time.Millisecond
)

// tellLogs adds to stories what logs say of the time: who led, and the lines
// that warn or tell of leaders shortly before the last answer.
func tellLogs(stories []*story, files []*logFile) {
	rivals := rivalsOf(leadsOf(files))
	lines := inOrder(files)
	for _, s := range stories[:min(len(stories), storiesMax)] {
		if len(s.Calls) == 0 {
			continue
		}
		s.Stamped = len(lines) > 0
		from, to := s.span()
		for _, r := range rivals {
			if r.from < to && r.to > from && len(s.Rivals) < 2 {
				s.Rivals = append(s.Rivals, r.String())
			}
		}
		s.quote(lines, files, to)
	}
}

func (s *story) quote(lines []place, files []*logFile, to time.Duration) {
	first, _ := slices.BinarySearchFunc(lines, to-2*aroundStory, func(p place, at time.Duration) int { return cmp.Compare(p.line.at, at) })
	for _, p := range lines[first:] {
		if p.line.at > to+quotedAfter {
			break
		}
		if p.line.level > levelPlain || leadership(p.line.text) != nil {
			s.Lines = append(s.Lines, storyLine{files[p.file].Node, p.line.at, clip(p.line.text, quotedText)})
		}
	}
	s.Lines = s.Lines[max(0, len(s.Lines)-quotedMax):]
}
