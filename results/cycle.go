package results

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// Bounds of what is told of a cycle.
const (
	stepsMax   = 24 // in words
	cycleMax   = 1000
	elementMax = 2 // of a list, in a bar's words
)

// step is an edge of a cycle as the page tells it.
type step struct {
	From, To string // "T1"
	Type     string // "rw"
	Why      []passage
	Last     bool // the one that contradicts those before it
}

// Kinds are the types of a story's steps that have an explanation, each once.
func (s *story) Kinds() []kind {
	var all []kind
	for _, k := range kinds {
		if slices.ContainsFunc(s.Steps, func(st step) bool { return st.Type == k.Type }) {
			all = append(all, k)
		}
	}
	return all
}

// kind says what a type of step means.
type kind struct{ Type, Meaning string }

// kinds are in the order in which a step makes for a contradiction: that a read
// missed something is what surprises, real time is what nobody doubts.
var kinds = []kind{
	{"rw", "the first did not see what the second wrote"},
	{"wr", "the second read what the first had written"},
	{"ww", "the second wrote behind what the first had written"},
	{"process", "one process did the first, then the second"},
	{"realtime", "the first had ended before the second began"},
}

// tellCycle adds the steps of a cycle to a story, and the calls that it goes
// through. A cycle that is none, or is of other operations, is left to its sentence.
func (s *story) tellCycle(cycle []fallacy.Step, c *calls) {
	if !isCycle(cycle, c) {
		return
	}
	cycle = turned(cycle, c)
	names := make(map[int]string) // by the call's place
	for _, st := range cycle {
		at := c.at(st.From)
		if names[at] != "" {
			return
		}
		names[at] = "T" + itoa(len(names)+1)
	}
	for i, st := range cycle {
		from, to := c.at(st.From), c.at(st.To)
		if i < stepsMax-1 || i == len(cycle)-1 {
			s.Steps = append(s.Steps, step{From: names[from], To: names[to], Type: shorten(st.Type, 12), Why: named(shorten(st.Why, 600), names, c), Last: i == len(cycle)-1})
		}
		call := storyCallOf(c, c.all[from])
		call.Name, call.Short = names[from], names[from]+" "+stepWords(c.all[from], call.Words, st.Key, cycle[(i+len(cycle)-1)%len(cycle)].Key)
		s.circle = append(s.circle, call)
	}
	s.MoreSteps = len(cycle) - len(s.Steps)
	for i := range s.Calls {
		s.Calls[i].Name = names[c.at(s.Calls[i].Op)]
	}
}

// isCycle tells whether each step begins where the one before it ended.
func isCycle(cycle []fallacy.Step, c *calls) bool {
	if len(cycle) < 2 || len(cycle) > cycleMax {
		return false
	}
	for i, st := range cycle {
		from, known := c.of(cycle[(i+1)%len(cycle)].From)
		to, also := c.of(st.To)
		if !known || !also || from != to {
			return false
		}
	}
	return true
}

// turned begins a cycle so that it ends in the step that surprises most: a read
// that missed something, and of those the one that leads furthest back in time.
func turned(cycle []fallacy.Step, c *calls) []fallacy.Step {
	surprise := func(st fallacy.Step) int {
		if i := slices.IndexFunc(kinds, func(k kind) bool { return k.Type == st.Type }); i >= 0 {
			return len(kinds) - i
		}
		return 0
	}
	back := func(st fallacy.Step) int {
		return int(c.all[c.at(st.From)].Invoke.Time - c.all[c.at(st.To)].Invoke.Time)
	}
	last := 0
	for i, st := range cycle {
		if d := surprise(st) - surprise(cycle[last]); d > 0 || d == 0 && back(st) > back(cycle[last]) {
			last = i
		}
	}
	return slices.Concat(cycle[last+1:], cycle[:last+1])
}

var opOfProcess = regexp.MustCompile(`process \d{1,12}'s [a-z]+ \(op (\d{1,12})\)`)

// named splits a sentence as passages does, and calls the calls by their names.
func named(text string, names map[int]string, c *calls) []passage {
	var all []passage
	from := 0
	for _, m := range opOfProcess.FindAllStringSubmatchIndex(text, 100) {
		op := text[m[2]:m[3]]
		number, _ := strconv.Atoi(op) // at most twelve digits
		at, ok := c.of(number)
		if !ok || names[at] == "" {
			continue
		}
		all = append(append(all, passages(text[from:m[0]])...), passage{names[at], op})
		from = m[1]
	}
	all = append(all, passages(text[from:])...)
	return slices.DeleteFunc(all, func(p passage) bool { return p.Text == "" })
}

// stepWords are the micro-ops of a call that its steps are about, long lists by
// their ends.
func stepWords(call fallacy.Call, otherwise string, keys ...fallacy.Value) string {
	value := call.Invoke.Value
	if call.Complete != nil && call.Complete.Value.Kind() == fallacy.KindTxn {
		value = call.Complete.Value
	}
	ops, ok := value.Txn()
	if !ok {
		return clip(otherwise, barMost)
	}
	var words []string
	left := false
	for _, op := range ops {
		if !slices.ContainsFunc(keys, op.Key.Equal) {
			left = true
			continue
		}
		word := txnWords([]fallacy.MicroOp{{F: op.F, Key: op.Key, Value: endOf(op.Value)}}, call.Type() == fallacy.OK, fallacy.Value.String)
		if !op.Value.Equal(endOf(op.Value)) {
			word = strings.Replace(word, "[", "[…,", 1)
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if left || len(words) == 0 {
		words = append(words, "…")
	}
	return clip(strings.Join(words, ", "), barMost+8)
}

// endOf leaves out the beginning of a long list.
func endOf(v fallacy.Value) fallacy.Value {
	list, ok := v.List()
	if !ok || len(list) <= elementMax {
		return v
	}
	return fallacy.List(list[len(list)-elementMax:]...)
}

// LastStep is the number of the step that closes the circle.
func (s *story) LastStep() int { return len(s.Steps) + s.MoreSteps }

// inShort tells a story in a few sentences without a picture.
func (s *story) inShort() string {
	const most = 3
	n := len(s.Steps) + s.MoreSteps
	switch {
	case n == 0:
		return sentence(s.Why)
	case n > most:
		return some(n, "operation") + " would each have to come before the next, in a circle."
	}
	var names, reasons []string
	for _, st := range s.Steps {
		var why strings.Builder
		for _, p := range st.Why {
			why.WriteString(p.Text)
		}
		names, reasons = append(names, st.From), append(reasons, why.String())
	}
	other := "the next, in a circle"
	if n == 2 {
		other = "the other"
	}
	return listing(names) + " contradict each other: " + sentence(strings.Join(reasons, "; ")) + " Each would have to come before " + other + "."
}
