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
		if at, ok := c.byOp[op]; ok && !slices.Contains(s.places, at) {
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

// meanings are the anomalies in words for those who do not know the literature.
var meanings = map[string]string{
	"nonlinearizable":      "the answers fit no order in which the operations can have happened",
	"lost":                 "something that was acknowledged is gone",
	"phantom":              "something turned up that was never put there",
	"duplicate":            "something that was put in once came out twice",
	"stale":                "a read missed something that was acknowledged before it began",
	"reordered":            "what was put in came out in another order",
	"false empty":          "a queue said that it was empty when it was not",
	"out of bounds":        "a counter showed a value that no order of the additions explains",
	"duplicate token":      "two holders of a lock were given the same token",
	"token not increasing": "a later holder of a lock was given an earlier token",
	"stale token accepted": "a holder that had lost its lock could still act",
	"crash":                "a process crashed by itself",
	"G0":                   "the writes of transactions are interwoven",
	"G1a":                  "a transaction saw what an aborted one had written",
	"G1b":                  "a transaction saw another one half done",
	"G1c":                  "transactions depend on each other in a circle",
	"G-single":             "a transaction saw part of another one’s effects and missed the rest",
	"G-nonadjacent":        "transactions saw parts of one another’s effects that no single moment explains",
	"G2":                   "transactions that each missed the other’s writes were both accepted",
	"G2-item":              "transactions that each missed the other’s writes were both accepted",
	"lost-update":          "an update was overwritten by one that had not seen it",
	"incompatible-order":   "two reads saw the same list in contradicting orders",
	"internal":             "a transaction contradicts its own earlier steps",
	"dirty-update":         "a transaction built on what an aborted one had written",
}

// registerMeanings are the ways in which a register fails, by what the checker's sentence says.
var registerMeanings = []struct{ says, meaning string }{
	{"had been overwritten", "a read returned a value that had already been overwritten"},
	{"after that cas had taken its place", "a read returned a value that had already been replaced"},
	{"had taken its place", "an operation found a value that had already been replaced"},
	{"nobody else wrote that value", "a value was seen before it was written"},
	{"nobody ever tried to write", "a value turned up that nobody ever wrote"},
	{"had failed", "a change that was reported as failed took effect"},
	{"both took the place of", "two changes both replaced the same value"},
	{"neither order is possible", "operations were answered as if two orders of events were true at once"},
	{"held nothing only at first", "a read found nothing although a value had been written before"},
}

func meaningOf(checker string, a fallacy.Anomaly) string {
	if a.Name == "nonlinearizable" {
		for _, m := range registerMeanings {
			if strings.Contains(a.Why, m.says) {
				return m.meaning
			}
		}
		if checker == "lock" {
			return "two held one lock at the same time"
		}
	}
	name := strings.ReplaceAll(a.Name, "lost update", "lost-update")
	for _, order := range []string{"-realtime", "-process"} {
		if cut, ok := strings.CutSuffix(name, order); ok {
			name = cut
		}
	}
	if meaning, ok := meanings[name]; ok {
		return meaning
	}
	return meanings[strings.TrimSuffix(name, "-item")]
}
