package results

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// leads is a time during which a node believed, by its log, that it led.
type leads struct {
	node     string
	from, to time.Duration
	term     string // "" if the log names none
	ended    string // why it ended, as far as is known
}

// leaderLine is a form of line that says that a node leads, or does so no more.
type leaderLine struct {
	says  *regexp.Regexp // its first group, if it has one, is the term
	leads bool
}

// leaderLines are those of servers that are known.
var leaderLines = []leaderLine{
	// go.etcd.io/raft: etcd, the bundled store and many others
	{regexp.MustCompile(`became leader at term (\d+)`), true},
	{regexp.MustCompile(`became (?:follower|candidate|pre-candidate) at term \d+|stepped down to follower`), false},
	// Redis
	{regexp.MustCompile(`MASTER MODE enabled`), true},
	{regexp.MustCompile(`Before turning into a replica|REPLICAOF .* enabled|Connecting to MASTER`), false},
	// hashicorp/raft: Consul, Nomad, rqlite
	{regexp.MustCompile(`entering leader state`), true},
	{regexp.MustCompile(`entering (?:follower|candidate) state|leadership lost|stepping down`), false},
	// ZooKeeper
	{regexp.MustCompile(`LEADING - LEADER ELECTION TOOK|: LEADING$`), true},
	{regexp.MustCompile(`: (?:FOLLOWING|LOOKING)$|Shutdown called.*[Ll]eader`), false},
}

// leaderHints are parts of what those look for.
var leaderHints = []string{"became ", "stepped ", "stepping ", "MASTER", "REPLICAOF", "replica", "eadership", " state", "LEADING", "FOLLOWING", "LOOKING", "Shutdown"}

// leadership returns the form of a line that tells of leaders; nil if it does not.
func leadership(line string) *leaderLine {
	if !slices.ContainsFunc(leaderHints, func(h string) bool { return strings.Contains(line, h) }) {
		return nil
	}
	for i := range leaderLines {
		if leaderLines[i].says.MatchString(line) {
			return &leaderLines[i]
		}
	}
	return nil
}

// leadersOf reads from a log when its node believed that it led: from the line
// that says so to the line that says otherwise, the next start of the process,
// or its death by a fault.
func leadersOf(lines []logLine, node string, episodes []*episode, end time.Duration) []leads {
	var all []leads
	open := false
	for _, n := range lines {
		l := leadership(n.text)
		if l == nil || n.at == noTime {
			continue
		}
		if open {
			all[len(all)-1].to, all[len(all)-1].ended = n.at, "its log says so"
			open = false
		}
		if l.leads {
			term := ""
			if m := l.says.FindStringSubmatch(n.text); len(m) > 1 {
				term = m[1]
			}
			all = append(all, leads{node: node, from: n.at, to: end, term: term})
			open = true
		}
	}
	for i := range all {
		for _, e := range episodes {
			killed := e.Damage[node].Process >= fallacy.Terminated && e.Verified()
			if killed && e.From > all[i].from && e.From < all[i].to {
				all[i].to, all[i].ended = e.From, "it was killed"
			}
		}
	}
	return slices.DeleteFunc(all, func(l leads) bool { return l.to <= 0 || l.from >= end })
}

// rivals are two nodes that both believed to lead.
type rivals struct {
	a, b     leads
	from, to time.Duration
}

// rivalsOf returns the times, long enough to matter, at which two led at once.
func rivalsOf(all []leads) []rivals {
	const least = 5 * time.Millisecond // clocks of two logs may differ
	var found []rivals
	for i, a := range all {
		for _, b := range all[i+1:] {
			from, to := max(a.from, b.from), min(a.to, b.to)
			if a.node == b.node || to-from < least {
				continue
			}
			if b.from < a.from {
				found = append(found, rivals{b, a, from, to})
			} else {
				found = append(found, rivals{a, b, from, to})
			}
		}
	}
	slices.SortStableFunc(found, func(x, y rivals) int { return int(x.from - y.from) })
	return found
}

// String says it in a sentence.
func (r rivals) String() string {
	term := func(l leads) string {
		if l.term == "" {
			return ""
		}
		return " in term " + l.term
	}
	return r.a.node + " and " + r.b.node + " both believed that they led, for " + lasting(r.to-r.from) + " from " + moment(r.from) + ": " +
		r.b.node + " became leader" + term(r.b) + " while " + r.a.node + " still was" + term(r.a) + ", say their logs."
}
