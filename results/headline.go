package results

import (
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// headline says in a sentence what became of the run, behind the verdict's
// word, and in a few more what led to it. They are for a reader who knows
// nothing of the matter.
func headline(run Run, stories []*story, episodes []*episode) (head string, lead []string) {
	switch run.Verdict {
	case fallacy.Invalid:
		return invalidHeadline(run, stories, episodes)
	case fallacy.Valid:
		return "the promise held.", []string{validLead(run, episodes)}
	}
	return unknownHeadline(run)
}

func invalidHeadline(run Run, stories []*story, episodes []*episode) (string, []string) {
	if len(stories) == 0 {
		return "the promise was broken.", []string{sentence(run.Reason)}
	}
	s := stories[0]
	head := s.Meaning
	if head == "" {
		head = "the promise was broken: " + s.Name
	}
	lead := []string{s.scene(run.Took), s.atTheTime(episodes)}
	lead = append(lead, s.Rivals...)
	if others := namesOf(stories[1:]); len(others) > 0 {
		lead = append(lead, "Further anomalies, below: "+listing(others)+".")
	}
	return head + ".", slices.DeleteFunc(lead, func(s string) bool { return s == "" })
}

// namesOf counts stories by name: "3 × lost".
func namesOf(stories []*story) []string {
	var anomalies []fallacy.Anomaly
	for _, s := range stories {
		anomalies = append(anomalies, fallacy.Anomaly{Name: s.Name})
	}
	return names(anomalies)
}

func validLead(run Run, episodes []*episode) string {
	text := "In " + some(run.Ops.Invoked, "operation") + ", of which " + count(run.Ops.OK) + " succeeded, nothing was found that breaks it"
	seen := 0
	for _, e := range episodes {
		if e.Verified() {
			seen++
		}
	}
	switch {
	case len(episodes) == 0:
		return text + ". No fault was injected."
	case seen == len(episodes):
		return text + ", while " + some(seen, "fault") + " came and went, all seen to take effect."
	}
	return text + ", while " + some(len(episodes), "fault") + " came and went, " + count(seen) + " of them seen to take effect."
}

func unknownHeadline(run Run) (string, []string) {
	reason := run.Reason
	var lead []string
	for _, f := range run.Findings {
		if f.Verdict != fallacy.Unknown {
			continue
		}
		if reason == "" {
			reason = f.Reason
			continue
		}
		if !strings.Contains(reason, f.Reason) {
			lead = append(lead, sentence(f.Checker+" cannot tell: "+f.Reason))
		}
	}
	if reason == "" {
		reason = "nothing was judged"
	}
	if len(reason) > 160 { // a headline is not the place for it
		lead = append([]string{sentence(reason)}, lead...)
		reason = "something that is needed for a verdict is missing"
	}
	lead = append(lead, "Nothing was proved, neither way. Unknown is not a pass.")
	return strings.TrimSuffix(reason, ".") + ".", lead
}
