package etcd

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// refusals are how the errors begin that a member ends with which was added and asks
// the others, when it starts for the first time, who they are. Behind a partition it
// finds nobody, or a peer that has not heard of it, and is started again.
var refusals = []string{"cannot fetch cluster info", "error validating peerURLs"}

// stops is the error of a member that was removed, has heard of it, and ends.
const stops = "server is stopping"

// CrashPatterns returns what etcd writes when it stops in distress. It calls every
// error at its start a failed discovery, and one later a failed listener.
func (*target) CrashPatterns() []string {
	const early, late = `discovery failed","error":"`, `listener failed","error":"`
	const fatal = `"level":"fatal".*"msg":"`
	return []string{
		`^panic: `, `^fatal error: `, `^SIG[A-Z]+: `, `"level":"(panic|dpanic)"`,
		fatal + unlike(early, late), fatal + early + unlike(refusals...), fatal + late + unlike(stops),
	}
}

// unlike is a regular expression of texts that begin with none of the words.
func unlike(words ...string) string {
	next := make(map[string]string) // by the beginning of a word: how words go on
	for _, w := range words {
		for i := range w {
			next[w[:i]] += w[i : i+1]
		}
	}
	var ways []string
	for _, begin := range slices.Sorted(maps.Keys(next)) {
		ways = append(ways, regexp.QuoteMeta(begin)+"[^"+regexp.QuoteMeta(next[begin])+"]")
	}
	return "(" + strings.Join(ways, "|") + ")"
}
