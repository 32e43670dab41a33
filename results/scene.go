package results

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
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
	if text := s.contradiction(); text != "" {
		return text
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

// orders are the ways in which a checker says that one call had ended before
// another began.
var orders = []struct {
	says          *regexp.Regexp
	first, second int // groups
}{
	{regexp.MustCompile(`had ended \(op (\d{1,12})\) before [^():;]*? was invoked \(op (\d{1,12})\)`), 1, 2},
	{regexp.MustCompile(`was invoked \(op (\d{1,12})\) after [^():;]*? had ended \(op (\d{1,12})\)`), 2, 1},
}

// pair is two calls, of which the first had ended before the second began.
type pair struct{ first, second storyCall }

// ordered returns the pairs of calls whose order the checker's sentence is about.
func (s *story) ordered() (all []pair) {
	for _, o := range orders {
		for _, m := range o.says.FindAllStringSubmatch(s.Why, 4) {
			first, ok := s.callOf(m[o.first])
			second, also := s.callOf(m[o.second])
			if ok && also && first.Ended && second.Ended {
				all = append(all, pair{first, second})
			}
		}
		if len(all) > 0 {
			break
		}
	}
	return all
}

func (s *story) callOf(op string) (storyCall, bool) {
	n, _ := strconv.Atoi(op) // twelve digits at most
	i := slices.IndexFunc(s.Calls, func(c storyCall) bool { return c.Op == n || c.Done == n && n > 0 })
	if i < 0 {
		return storyCall{}, false
	}
	return s.Calls[i], true
}

// contradiction tells of a register by its calls; empty if the checker's
// sentence is not of that kind.
func (s *story) contradiction() string {
	pairs := s.ordered()
	if s.Name != "nonlinearizable" || len(pairs) == 0 {
		return ""
	}
	if a, b := pairs[0].first, pairs[0].second; len(pairs) == 1 && strings.HasPrefix(s.Meaning, "a read ") {
		return moment(a.To) + " into the run " + a.who() + " confirmed " + a.said() + ". " +
			sentence(lasting(b.From-a.To)+" later "+b.who()+" was asked, and still answered "+b.said())
	}
	if len(pairs) != 2 || !strings.Contains(s.Why, "neither order is possible") {
		return ""
	}
	calls := []storyCall{pairs[0].first, pairs[0].second, pairs[1].first, pairs[1].second}
	slices.SortStableFunc(calls, func(a, b storyCall) int { return cmp.Compare(a.To, b.To) })
	var told, before []string
	for _, c := range calls {
		if !slices.Contains(before, c.Words) {
			before = append(before, c.Words)
			told = append(told, c.who()+" answered "+c.said()+" at "+moment(c.To))
		}
	}
	return sentence(listing(told) + "; no order explains all of these answers")
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
		return notAtTheTime(episodes, from, to)
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

func notAtTheTime(episodes []*episode, from, to time.Duration) string {
	var last *episode
	for _, e := range episodes {
		if e.From < to && e.To > from { // not verified, or it would have been told
			return "At the time " + e.Name() + " was to be in force, which nobody saw take effect: " + e.What + "."
		}
		if e.To <= from && e.Verified() && (last == nil || e.To > last.To) {
			last = e
		}
	}
	if last == nil {
		return "No fault had been in force until then."
	}
	return "No fault was in force at the time. The last one, until " + lasting(from-last.To) + " before: " + last.What + "."
}
