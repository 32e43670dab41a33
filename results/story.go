package results

import (
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Bounds of what the page tells of anomalies.
const (
	openMax       = 3   // shown at once
	storiesMax    = 24  // told with operations and a diagram
	namedMax      = 100 // told in a sentence; the rest are counted
	storyCallsMax = 40  // in the table of one
	diagramMax    = 10  // in the diagram of one
	meanwhileMax  = 4   // faults that are told with it
)

// story is an anomaly as the page tells it.
type story struct {
	Name    string
	Checker string
	Why     string
	Meaning string // the name in plain words
	Calls   []storyCall
	More    int // calls that are not shown
	During  []*episode
	Diagram *diagram // nil if there is nothing to draw

	Steps     []step // of a cycle; none if the anomaly is no cycle
	MoreSteps int    // that are not shown

	Stuck *stuck // where every order ends; nil: nobody says

	Stamped bool        // whether there are logs around it
	Rivals  []string    // who believed to lead at the same time
	Lines   []storyLine // of logs, shortly before

	places []int       // of its calls
	circle []storyCall // those that the cycle goes through, in its order
}

// storyCall is one of the calls that prove it.
type storyCall struct {
	Name    string // "T1", in a cycle
	Short   string // what a cycle's diagram says of it
	Op      int    // index of the invocation
	Done    int    // index of the completion, 0 if there is none
	From    time.Duration
	To      time.Duration
	Ended   bool
	Process int
	Node    string
	Words   string
	Type    string
	Outcome string
}

// storiesOf tells the anomalies of all findings, those that come with operations first.
func storiesOf(run Run, c *calls, episodes []*episode) []*story {
	var all []*story
	for _, f := range run.Findings {
		for _, a := range f.Anomalies {
			all = append(all, tell(f.Checker, a, c, episodes))
		}
	}
	all = inTurn(all)
	for i, s := range all {
		if i < storiesMax {
			s.Diagram = draw(s)
		}
	}
	return all
}

// inTurn orders stories so that each name is told before one is told twice, the
// gravest names first, and of each the one that the fewest operations prove.
func inTurn(all []*story) []*story {
	slices.SortStableFunc(all, func(a, b *story) int {
		if c := gravity(a.Name) - gravity(b.Name); c != 0 {
			return c
		}
		return weight(a) - weight(b)
	})
	turn := make(map[*story]int)
	told := make(map[string]int)
	for _, s := range all {
		turn[s] = told[s.Name]
		told[s.Name]++
	}
	slices.SortStableFunc(all, func(a, b *story) int { return turn[a] - turn[b] })
	return all
}

// gravity puts what is lost, or made up, before what is only late.
func gravity(name string) int {
	graver := []string{"lost", "phantom", "duplicate", "G0", "G1a", "G1b"}
	if i := slices.Index(graver, name); i >= 0 {
		return i
	}
	return len(graver)
}

// weight puts a story that few operations prove before a long one, and one that
// none proves last.
func weight(s *story) int {
	n := len(s.Calls) + s.More
	if n == 0 {
		return 3
	}
	return min(n/4, 2)
}

func tell(checker string, a fallacy.Anomaly, c *calls, episodes []*episode) *story {
	s := &story{Name: a.Name, Checker: checker, Why: a.Why, Meaning: meaningOf(checker, a)}
	ops := slices.Clone(a.Ops)
	for _, st := range a.Cycle {
		ops = append(ops, st.From)
	}
	for _, op := range ops {
		if at, ok := c.of(op); ok && !slices.Contains(s.places, at) {
			s.places = append(s.places, at)
		}
	}
	slices.Sort(s.places)
	for i, at := range s.places {
		if i == storyCallsMax {
			s.More = len(s.places) - i
			break
		}
		s.Calls = append(s.Calls, storyCallOf(c, c.all[at]))
	}
	if len(s.Calls) == 0 {
		return s
	}
	s.tellCycle(a.Cycle, c)
	s.Stuck = stuckOf(a.Stuck, c)
	from, to := s.span()
	for _, e := range episodes {
		if e.From < to && e.To > from && e.Verified() {
			s.During = append(s.During, e)
		}
	}
	return s
}

func storyCallOf(c *calls, call fallacy.Call) storyCall {
	sc := storyCall{
		Op: call.Invoke.Index, From: call.Invoke.Time, Process: call.Invoke.Process, Node: nodeOf(call),
		Words: shorten(c.words(call), 400), Type: call.Type().String(), Outcome: outcome(call),
	}
	if call.Complete != nil {
		sc.To, sc.Done = call.Complete.Time, call.Complete.Index
	}
	_, sc.Ended = call.End()
	return sc
}

// span returns when the story begins, and when the last of its calls was answered.
func (s *story) span() (from, to time.Duration) {
	from = s.Calls[0].From
	for _, c := range s.Calls {
		to = max(to, c.From)
		if c.Ended {
			to = max(to, c.To)
		}
	}
	return from, to
}

// Meanwhile returns the first few faults that were in force.
func (s *story) Meanwhile() []*episode { return s.During[:min(len(s.During), meanwhileMax)] }

// MoreFaults is how many others were.
func (s *story) MoreFaults() int { return len(s.During) - len(s.Meanwhile()) }

// Ops returns the indexes of the shown calls as the page's links have them.
func (s *story) Ops() string {
	var ops []string
	for _, c := range s.Calls {
		ops = append(ops, itoa(c.Op))
	}
	return strings.Join(ops, ",")
}
