package results

import (
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// foreignBegins and foreignEnds are what nemeses of Jepsen's say when they break
// something, and when they mend it; a name may follow behind a dash. What begins
// with one ends with the other at the same place.
var (
	foreignBegins = []string{"start", "kill", "pause", "bump", "strobe"}
	foreignEnds   = []string{"stop", "start", "resume", "reset", "reset"}
)

// foreignEpisodes returns the faults of a history that another tool recorded: from
// the first op that says it begins to the last that says it ends. Such a tool says
// twice what it does, before and after. Whether it took effect nobody tells.
func foreignEpisodes(h fallacy.History, end time.Duration) []*episode {
	var all []*episode
	open := make(map[string]*episode) // by what ends it
	var ended *episode
	last := ""
	for i := range h {
		op := &h[i]
		if op.IsClient() || op.F == "inject" || op.F == "heal" {
			continue
		}
		again := op.F == last
		last = op.F
		if e := open[op.F]; e != nil {
			e.To, e.HealOp, ended = op.Time, op.Index, e
			e.Healed = "said at " + moment(op.Time)
			delete(open, op.F)
			continue
		}
		if again && ended != nil {
			ended.To, ended.HealOp = op.Time, op.Index
			continue
		}
		ends := foreignEnd(op.F)
		if ends == "" {
			continue
		}
		if e := open[ends]; e != nil {
			e.tellForeign(op)
			continue
		}
		e := &episode{
			Nemesis: strings.TrimPrefix(op.F, "start-"), Kind: foreignKind(op.F), From: op.Time, To: end, HealOp: -1,
			What: "it does not say to whom", Trouble: "the history does not tell whether anybody saw it take effect",
		}
		e.tellForeign(op)
		all, open[ends], ended = append(all, e), e, nil
	}
	return all
}

// foreignEnd returns what ends a fault that begins with f; empty: f begins none.
func foreignEnd(f string) string {
	for i, begin := range foreignBegins {
		if rest, ok := strings.CutPrefix(f, begin); ok && (rest == "" || rest[0] == '-') {
			return foreignEnds[i] + rest
		}
	}
	return ""
}

// foreignKind is the kind of a fault that begins with f.
func foreignKind(f string) string {
	begin, rest, _ := strings.Cut(f, "-")
	switch begin {
	case "start":
		begin, _, _ = strings.Cut(rest, "-")
	case "bump", "strobe":
		begin = "clock"
	}
	return kindOf(begin)
}

// tellForeign takes to whom something was done from an op.
func (e *episode) tellForeign(op *fallacy.Op) {
	if !op.Value.IsNil() {
		e.What = shorten(plain(op.Value), 300)
	}
	if op.Error != "" {
		e.Trouble = shorten(op.Error, 300)
	}
}
