package results

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// cycleHistory is three transactions of which the first two missed each other's
// writes; the third is of the first one's process.
func cycleHistory() fallacy.History {
	const ms = time.Millisecond
	txn := func(ops ...fallacy.MicroOp) fallacy.Value { return fallacy.Txn(ops...) }
	r := func(key string, seen fallacy.Value) fallacy.MicroOp {
		return fallacy.MicroOp{F: "r", Key: fallacy.String(key), Value: seen}
	}
	add := func(key string, n int) fallacy.MicroOp {
		return fallacy.MicroOp{F: "append", Key: fallacy.String(key), Value: fallacy.Int(n)}
	}
	var h fallacy.History
	op := func(at time.Duration, process int, t fallacy.Type, v fallacy.Value) {
		h = append(h, fallacy.Op{Index: len(h), Time: at, Process: process, Type: t, F: "txn", Value: v, Node: "n1"})
	}
	op(1*ms, 0, fallacy.Invoke, txn(r("x", fallacy.Nil()), add("y", 1), r("z", fallacy.Nil())))
	op(2*ms, 1, fallacy.Invoke, txn(r("y", fallacy.Nil()), add("x", 6)))
	op(9*ms, 0, fallacy.OK, txn(r("x", fallacy.Ints(1, 2, 3, 4, 5)), add("y", 1), r("z", fallacy.Nil())))
	op(12*ms, 0, fallacy.Invoke, txn(r("y", fallacy.Nil())))
	op(14*ms, 0, fallacy.OK, txn(r("y", fallacy.Nil())))
	op(15*ms, 1, fallacy.OK, txn(r("y", fallacy.Nil()), add("x", 6)))
	return h
}

// cycleSteps is what a checker says of it.
func cycleSteps() []fallacy.Step {
	return []fallacy.Step{
		{From: 2, To: 5, Type: "rw", Key: fallacy.String("x"), Why: "process 0's transaction (op 2) read [1,2,3,4,5] from x without 6, which process 1's transaction (op 5) appended next"},
		{From: 5, To: 2, Type: "rw", Key: fallacy.String("y"), Why: "process 1's transaction (op 5) read [] from y without 1, which process 0's transaction (op 2) appended next"},
	}
}

func cycleRun(name string, steps []fallacy.Step) Run {
	run := storyRun()
	run.Verdict, run.Ops = fallacy.Invalid, Count(cycleHistory())
	run.Findings = []Finding{{Checker: "append", Title: "transactions", Finding: fallacy.Finding{
		Verdict: fallacy.Invalid, Examined: 3,
		Anomalies: []fallacy.Anomaly{{Name: name, Why: "each must come before the next", Ops: []int{0, 1, 2, 5}, Cycle: steps}},
	}}}
	return run
}

func storyOfCycle(t *testing.T, steps []fallacy.Step) *story {
	t.Helper()
	run, h := cycleRun("G2-item", steps), cycleHistory()
	return storiesOf(run, callsOf(run, h), nil)[0]
}

func TestCycleIsToldStepByStep(t *testing.T) {
	s := storyOfCycle(t, cycleSteps())
	var told []string
	for _, st := range s.Steps {
		var why strings.Builder
		for _, p := range st.Why {
			why.WriteString(p.Text)
		}
		told = append(told, st.From+" → "+st.To+" "+st.Type+": "+why.String())
	}
	want := []string{
		"T1 → T2 rw: T1 read [1,2,3,4,5] from x without 6, which T2 appended next",
		"T2 → T1 rw: T2 read [] from y without 1, which T1 appended next",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if s.Steps[0].Last || !s.Steps[1].Last {
		t.Error("the step that leads back in time is not the last")
	}
	if got, want := s.inShort(), "T1 and T2 contradict each other: T1 read [1,2,3,4,5] from x without 6, which T2 appended next; T2 read [] from y without 1, which T1 appended next. Each would have to come before the other."; got != want {
		t.Errorf("in short %q, want %q", got, want)
	}
	words := []string{s.Diagram.Bars[0].Words, s.Diagram.Bars[1].Words}
	if want := []string{"T1 r x → […,4,5], append y 1, …", "T2 r y → nothing, append x 6"}; !slices.Equal(words, want) {
		t.Errorf("bars say %q, want %q", words, want)
	}
}

func TestCycleEndsInWhatSurprises(t *testing.T) {
	steps := []fallacy.Step{
		{From: 5, To: 2, Type: "rw", Why: "a"},
		{From: 2, To: 4, Type: "realtime", Why: "b"},
		{From: 4, To: 5, Type: "wr", Why: "c"},
	}
	s := storyOfCycle(t, steps)
	var types []string
	for _, st := range s.Steps {
		types = append(types, st.Type)
	}
	if want := []string{"realtime", "wr", "rw"}; !slices.Equal(types, want) {
		t.Errorf("steps are %v, want %v", types, want)
	}
	if len(s.Diagram.Steps) != 3 || len(s.Diagram.Lanes) != 2 {
		t.Errorf("the diagram has %d arrows and %d lanes", len(s.Diagram.Steps), len(s.Diagram.Lanes))
	}
}

// A checker may be anybody's program, and say what it likes.
func TestWhatIsNoCycleIsLeftToItsSentence(t *testing.T) {
	for name, steps := range map[string][]fallacy.Step{
		"unknown op":  {{From: 2, To: 99}, {From: 99, To: 2}},
		"open":        {{From: 2, To: 5}, {From: 5, To: 4}},
		"one step":    {{From: 2, To: 2}},
		"figure of 8": {{From: 2, To: 5}, {From: 5, To: 2}, {From: 2, To: 4}, {From: 4, To: 2}},
		"too long":    slices.Repeat([]fallacy.Step{{From: 2, To: 5}, {From: 5, To: 2}}, cycleMax),
	} {
		if s := storyOfCycle(t, steps); len(s.Steps) > 0 || len(s.Diagram.Steps) > 0 || len(s.Diagram.Bars) < 2 {
			t.Errorf("%s: %d steps are told, want none and an ordinary diagram", name, len(s.Steps))
		}
	}
}

func TestLongCycleIsShownByItsEnds(t *testing.T) {
	var h fallacy.History
	var steps []fallacy.Step
	const n = 60
	for i := range n {
		for _, typ := range []fallacy.Type{fallacy.Invoke, fallacy.OK} {
			h = append(h, fallacy.Op{Index: len(h), Time: time.Duration(len(h)) * time.Millisecond, Process: i % 7, Type: typ, F: "txn"})
		}
		steps = append(steps, fallacy.Step{From: 2*i + 1, To: 2*((i+1)%n) + 1, Type: "ww"})
	}
	run := cycleRun("G0-realtime", steps)
	s := storiesOf(run, callsOf(run, h), nil)[0]
	if len(s.Steps) != stepsMax || s.MoreSteps != n-stepsMax || s.Steps[stepsMax-1].To != "T1" || s.LastStep() != n {
		t.Errorf("%d steps and %d more, the last to %s", len(s.Steps), s.MoreSteps, s.Steps[len(s.Steps)-1].To)
	}
	if got := len(s.Diagram.Bars); got != diagramMax {
		t.Errorf("%d bars, want %d", got, diagramMax)
	}
	if got := s.Diagram.Steps[len(s.Diagram.Steps)-1].Words; got != "60 ww" {
		t.Errorf("the last arrow says %q", got)
	}
	if got := s.inShort(); got != "60"+nbsp+"operations would each have to come before the next, in a circle." {
		t.Errorf("in short %q", got)
	}
	page := reportOf(t, run, h)
	for _, want := range []string{`<li value="60" class="last">`, "Left out before the last: 36" + nbsp + "steps", "The writes of transactions are interwoven"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestHostileCycleIsText(t *testing.T) {
	steps := cycleSteps()
	for i := range steps {
		steps[i].Type, steps[i].Why, steps[i].Key = hostileText, hostileText, fallacy.String(hostileText)
	}
	page := reportOf(t, cycleRun("G2-item", steps), cycleHistory())
	if strings.Contains(page, "<img") || strings.Contains(page, "<script>window") || strings.Contains(page, "\u202e") {
		t.Error("markup of the run is markup of the page")
	}
}

func TestCyclePageIsGolden(t *testing.T) {
	page := reportOf(t, cycleRun("G2-item-realtime", cycleSteps()), cycleHistory())
	_, page, _ = strings.Cut(page, `<article class="story">`)
	page, _, _ = strings.Cut(page, "</article>")
	golden(t, "cycle.html", page)
}
