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

// CrashPatterns returns what etcd writes when it stops in distress. It calls every
// error at its start a failed discovery.
func (*target) CrashPatterns() []string {
	const failed = `discovery failed","error":"`
	return []string{
		`^panic: `, `^fatal error: `, `^SIG[A-Z]+: `, `"level":"(panic|dpanic)"`,
		`"level":"fatal".*"msg":"` + unlike(failed), `"level":"fatal".*"msg":"` + failed + unlike(refusals...),
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
