package etcd

import (
	"regexp"
	"slices"
	"testing"
)

// A member that is told of other members than it finds is not taken for one that
// crashed; whatever else is fatal is.
func TestCrashPatterns(t *testing.T) {
	const fatal = `{"level":"fatal","ts":"2026-11-28T14:16:22.471Z","caller":"etcdmain/etcd.go:271","msg":`
	for line, want := range map[string]bool{
		fatal + `"discovery failed","error":"error validating peerURLs {ClusterID:914b}: member count is unequal"}`: false,
		fatal + `"discovery failed","error":"cannot fetch cluster info from peer urls: could not retrieve"}`:        false,
		fatal + `"discovery failed","error":"listen tcp 127.0.0.1:1: bind: address already in use"}`:                true,
		fatal + `"discovery failed","error":"cannot access data directory"}`:                                        true,
		fatal + `"discovery failed","error":"e"}`:                                                                   true,
		fatal + `"discovered"}`: true,
		fatal + `"listener failed","error":"server is stopping","stacktrace":"go"}`:        false,
		fatal + `"listener failed","error":"accept tcp 127.0.0.1:1: too many open files"}`: true,
		fatal + `"listening","error":"server is stopping"}`:                                true,
		fatal + `"failed to open WAL","error":"cannot fetch cluster info"}`:                true,
		`{"level":"panic","msg":"tocommit(107) is out of range"}`:                          true,
		`{"level":"warn","msg":"failed","error":"error validating peerURLs x"}`:            false,
		"panic: runtime error": true,
	} {
		got := slices.ContainsFunc((*target)(nil).CrashPatterns(), func(p string) bool { return regexp.MustCompile(p).MatchString(line) })
		if got != want {
			t.Errorf("%s: taken for a crash: %v, want %v", line, got, want)
		}
	}
}
