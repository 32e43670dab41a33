package results

import (
	"slices"
	"strings"
	"time"
)

// sceneMax is how much of a call's words a sentence takes.
const sceneMax = 60

// scene tells what happened, when and where, to a reader who knows neither the
// operations nor the literature.
func (s *story) scene(took time.Duration) string {
	if len(s.Calls) == 0 || s.MoreSteps > 0 {
		return s.inShort()
	}
	from, to := s.span()
	last, before, ok := s.contradiction()
	if ok && strings.HasPrefix(s.Meaning, "a read ") && s.Name == "nonlinearizable" {
		return moment(before.To) + " into the run " + before.who() + " confirmed " + before.said() + ". " +
			sentence(lasting(last.From-before.To)+" later "+last.who()+" was asked, and still answered "+last.said())
	}
	when := "That was between " + moment(from) + " and " + moment(to) + " of the run"
	if to-from < 100*time.Millisecond {
		when = "That was " + moment(to) + " into the run"
	}
	if took > 0 && to > took { // a history of another tool
		when = "That was at " + moment(to)
	}
	if nodes := s.nodes(); len(nodes) > 0 {
		when += ", on " + listing(nodes)
	}
	return s.inShort() + " " + when + "."
}

// contradiction returns the call whose answer cannot be, and the latest that had
// ended before it began.
func (s *story) contradiction() (last, before storyCall, ok bool) {
	last = s.Calls[len(s.Calls)-1]
	for _, c := range s.Calls {
		if c.Ended && c.To < last.From && (!ok || c.To > before.To) {
			before, ok = c, true
		}
	}
	return last, before, ok && last.Ended
}

// who is the node that was asked, or else the process that asked.
func (c storyCall) who() string {
	if c.Node != "" {
		return c.Node
	}
	return "process " + itoa(c.Process)
}

func (c storyCall) said() string { return "“" + clip(c.Words, sceneMax) + "”" }

// nodes are those that the calls were put to, in order.
func (s *story) nodes() []string {
	var all []string
	for _, c := range s.Calls {
		if c.Node != "" && !slices.Contains(all, c.Node) {
			all = append(all, c.Node)
		}
	}
	slices.SortFunc(all, naturally)
	return all
}

// longSpan is from when on a story's faults are said to have come in between.
const longSpan = time.Second

// atTheTime says what was wrong with the cluster, or had just been.
func (s *story) atTheTime(episodes []*episode) string {
	if len(s.Calls) == 0 {
		return ""
	}
	from, to := s.span()
	if len(s.During) == 0 {
		return notAtTheTime(episodes, from)
	}
	var what []string
	times := make(map[string]int)
	for _, e := range s.During {
		if times[e.What]++; times[e.What] == 1 {
			what = append(what, e.What)
		}
	}
	const most = 3
	more := len(what) - most
	what = what[:min(most, len(what))]
	for i, w := range what {
		if n := times[w]; n > 1 {
			what[i] = w + " (" + some(n, "time") + ")"
		}
	}
	text := "At the time: "
	if to-from > longSpan {
		text = "In between: "
	}
	text += strings.Join(what, "; ")
	if more > 0 {
		text += "; and " + some(more, "further fault")
	}
	return text + "."
}

func notAtTheTime(episodes []*episode, from time.Duration) string {
	var last *episode
	for _, e := range episodes {
		if e.To <= from && e.Verified() && (last == nil || e.To > last.To) {
			last = e
		}
	}
	if last == nil {
		return "No fault had been in force until then."
	}
	return "No fault was in force at the time. The last one, until " + lasting(from-last.To) + " before: " + last.What + "."
}
