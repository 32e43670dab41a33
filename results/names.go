package results

import (
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// term is an anomaly's name for those who do not know the literature.
type term struct {
	meaning    string // in plain words, for a headline
	definition string // what exactly it is, if the plain words do not say so
	source     string
}

// Where names come from.
const (
	herlihy = "Herlihy and Wing, Linearizability: A Correctness Condition for Concurrent Objects, 1990"
	adya    = "Adya, Weak Consistency: A Generalized Theory and Optimistic Implementations for Distributed Transactions, 1999"
	elle    = "Kingsbury and Alvaro, Elle: Inferring Isolation Anomalies from Experimental Observations, 2020"
	jepsens = "Jepsen’s checkers"
	terry   = "Terry et al., Session Guarantees for Weakly Consistent Replicated Data, 1994"
)

// terms are the anomalies that checkers find, by name.
var terms = map[string]term{
	"nonlinearizable":      {"the answers fit no order in which the operations can have happened", "Each operation must seem to take effect at one moment between its request and its answer. There is no choice of such moments that explains all answers.", herlihy},
	"lost":                 {"something that was acknowledged is gone", "It was acknowledged, or seen, and is missing from every later look.", jepsens},
	"phantom":              {"something turned up that was never put there", "", jepsens},
	"unexpected":           {"something turned up that was never put there", "", jepsens},
	"duplicate":            {"something that was put in once came out twice", "", jepsens},
	"duplicated":           {"something that was put in once came out twice", "", jepsens},
	"duplicate-elements":   {"something that was put in once is there twice", "", elle},
	"stale":                {"a read missed something that was acknowledged before it began", "Later reads have it: it was late, and not lost.", jepsens},
	"reordered":            {"what was put in came out in another order", "", herlihy},
	"false empty":          {"a queue said that it was empty when it was not", "", herlihy},
	"out of bounds":        {"a counter showed a value that no order of the additions explains", "The value lies outside what all additions that may have happened by then can sum up to.", jepsens},
	"out of order":         {"a later identifier was smaller than an earlier one", "", jepsens},
	"duplicate token":      {"two holders of a lock were given the same token", "A fencing token must be larger each time that a lock is granted.", fencing},
	"token not increasing": {"a later holder of a lock was given an earlier token", "A fencing token must be larger each time that a lock is granted.", fencing},
	"stale token accepted": {"a holder that had lost its lock could still act", "What a lock protects must refuse a token older than one that was granted before.", fencing},
	"double grant":         {"two held one lock at the same time", "", jepsens},
	"false held":           {"a lock was said to be held when it was free", "", herlihy},
	"release without hold": {"a lock was released by one who did not hold it", "", jepsens},
	"crash":                {"a process crashed by itself", "", ""},
	"two leaders":          {"two nodes led in one term", "", "Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm, 2014: election safety"},
	"deposed leader":       {"a node called itself leader after it had been replaced", "", ""},
	"term went back":       {"a node forgot a term that it had told of", "", ""},
	"unavailable":          {"less was answered than is claimed", "", ""},
	"deadline missed":      {"an answer took longer than is claimed", "", ""},
	"diverged":             {"nodes still disagreed after all was quiet", "Eventual consistency: once writes stop and all faults are healed, all nodes must come to show the same.", "Vogels, Eventually Consistent, 2008"},
	"wrong total":          {"money was made or destroyed by transfers", "Transfers leave the total as it is. A read that sees another total saw part of a transfer.", jepsens},
	"negative balance":     {"an account was overdrawn that must not be", "", jepsens},
	"missing balance":      {"a read lacked an account", "", jepsens},
	"unexpected account":   {"a read showed an account that there is not", "", jepsens},
	"long fork":            {"two readers saw two writes in opposite orders", "One saw the first and not the second, the other the second and not the first.", "Sovran et al., Transactional Storage for Geo-Replicated Systems, 2011"},
	"causal reverse":       {"a later write was visible without an earlier one", "", jepsens},
	"causality violation":  {"an effect was visible without its cause", "", "Bouajjani et al., On Verifying Causal Consistency, 2017"},
	"cyclic causality":     {"operations cause each other in a circle", "", "Bouajjani et al., On Verifying Causal Consistency, 2017"},
	"initial read":         {"a read found nothing although it depends on a write", "", "Bouajjani et al., On Verifying Causal Consistency, 2017"},
	"thin air read":        {"a read returned a value that nobody wrote", "", "Bouajjani et al., On Verifying Causal Consistency, 2017"},
	"monotonic reads":      {"a process read an older value than it had read before", "", terry},
	"monotonic writes":     {"a process’s writes took effect in another order", "", terry},
	"read your writes":     {"a process did not see its own write", "", terry},
	"writes follow reads":  {"a write took effect before what its process had read", "", terry},
	"nonmonotonic send":    {"a log put a later message before an earlier one", "", jepsens},
	"nonmonotonic poll":    {"a reader of a log went back", "", jepsens},
	"inconsistent offset":  {"a log has two messages in one place", "", jepsens},
	"skipped":              {"a reader of a log was not given a message", "", jepsens},
	"unordered":            {"a watch delivered events out of order", "", "etcd’s API guarantees"},
	"not unique":           {"a watch delivered an event twice", "", "etcd’s API guarantees"},
	"not atomic":           {"a watch delivered part of a revision", "", "etcd’s API guarantees"},
	"not reliable":         {"a watch left out an event", "", "etcd’s API guarantees"},
	"not resumable":        {"a watch did not go on from where it should", "It delivered what came before it began, or was told of a compaction of what it did not need.", "etcd’s API guarantees"},
	"not bookmarkable":     {"a watch delivered what its bookmark had covered", "", "etcd’s API guarantees"},
	"early expiry":         {"a key with a lease was gone before the time of the lease was over", "The time counts from when the grant, or the last keep-alive, was asked for.", gray},
	"undead key":           {"a key was still there after its lease had been revoked", "", ""},
	"undead lease":         {"a lease was kept alive after it was over", "", ""},
	"resurrected":          {"a key with a lease was there again after it had gone", "", ""},
	"never expired":        {"a key with a lease outlived it, and nothing was in the way of its end", "", gray},
	"wrong event":          {"a watch delivered an event that is not the one that happened", "", "etcd’s API guarantees"},

	"G0":                 {"the writes of transactions are interwoven", "Dirty write: a cycle of write dependencies alone. Each of the transactions overwrote the other.", adya},
	"G1a":                {"a transaction saw what an aborted one had written", "Aborted read.", adya},
	"G1b":                {"a transaction saw another one half done", "Intermediate read: it saw a version that its writer then replaced.", adya},
	"G1c":                {"transactions depend on each other in a circle", "Circular information flow: a cycle of write and read dependencies.", adya},
	"G-single":           {"a transaction saw part of another one’s effects and missed the rest", "Read skew: a cycle with exactly one anti-dependency, a read that missed a write.", adya},
	"G-nonadjacent":      {"transactions saw parts of one another’s effects that no single moment explains", "A cycle whose anti-dependencies never follow each other directly. Snapshot isolation forbids it.", elle},
	"G2":                 {"transactions that each missed the other’s writes were both accepted", "A cycle with anti-dependencies: each transaction read what the next overwrote. Write skew is the smallest.", adya},
	"lost-update":        {"an update was overwritten by one that had not seen it", "Two transactions read the same version of an object and both wrote it.", adya},
	"incompatible-order": {"two reads saw the same list in contradicting orders", "Neither is the beginning of the other, so that one of them saw what cannot have been committed.", elle},
	"internal":           {"a transaction contradicts its own earlier steps", "A read inside a transaction does not agree with what it had read or written before.", "Cerone, Bernardi and Gotsman, A Framework for Transactional Consistency Models with Atomic Visibility, 2015"},
	"dirty-update":       {"a transaction built on what an aborted one had written", "", elle},
	"cyclic-versions":    {"an object’s values come before themselves", "What was read and written puts the versions of one object into a circle.", elle},
	"garbage-read":       {"a transaction saw what nobody wrote", "", elle},
	"future-read":        {"a transaction saw its own later write", "", elle},
}

const gray = "Gray and Cheriton, Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache Consistency, 1989"

const fencing = "Kleppmann, How to Do Distributed Locking, 2016"

// suffixes say which further order a cycle needs; a cycle on items is one that
// needs no predicate.
var suffixes = []struct{ suffix, definition string }{
	{"-realtime", "The cycle also uses that one transaction had ended before another began: strict, or strong, models forbid it."},
	{"-process", "The cycle also uses the order in which one process did things: session models forbid it."},
	{"-item", ""},
}

// termOf looks an anomaly's name up, with what its suffixes add.
func termOf(name string) (t term, known bool) {
	name = strings.ReplaceAll(name, "lost update", "lost-update")
	more := ""
	for _, s := range suffixes {
		if cut, ok := strings.CutSuffix(name, s.suffix); ok {
			name, more = cut, more+s.definition
		}
	}
	if t, known = terms[strings.TrimSuffix(name, "-item")]; known {
		t.definition = strings.TrimSpace(t.definition + " " + more)
	}
	return t, known
}

// registerMeanings are the ways in which a register fails, by what the checker's sentence says.
var registerMeanings = []struct{ says, meaning string }{
	{"had been overwritten", "a read returned a value that had already been overwritten"},
	{"after that cas had taken its place", "a read returned a value that had already been replaced"},
	{"had taken its place", "an operation found a value that had already been replaced"},
	{"nobody else wrote that value", "a value was seen before it was written"},
	{"nobody ever tried to write", "a value turned up that nobody ever wrote"},
	{"had failed", "a change that was reported as failed took effect"},
	{"both took the place of", "two changes both replaced the same value"},
	{"neither order is possible", "operations were answered as if two orders of events were true at once"},
	{"held nothing only at first", "a read found nothing although a value had been written before"},
}

// meaningOf says in plain words what an anomaly is; empty if its name is not known.
func meaningOf(checker string, a fallacy.Anomaly) string {
	if a.Name == "nonlinearizable" {
		for _, m := range registerMeanings {
			if strings.Contains(a.Why, m.says) {
				return m.meaning
			}
		}
		if checker == "lock" {
			return terms["double grant"].meaning
		}
	}
	if a.Name == "lost" && strings.Contains(a.Why, "been seen by") {
		return "something that had been seen is gone"
	}
	t, _ := termOf(a.Name)
	return t.meaning
}

// glossaryRow explains a name that the page uses.
type glossaryRow struct{ Name, Meaning, Definition, Source string }

// glossary explains the names of the anomalies that were found, in their order.
func glossary(stories []*story) []glossaryRow {
	var rows []glossaryRow
	for _, s := range stories {
		t, known := termOf(s.Name)
		if !known || slices.ContainsFunc(rows, func(r glossaryRow) bool { return r.Name == s.Name }) {
			continue
		}
		rows = append(rows, glossaryRow{s.Name, sentence(t.meaning), t.definition, t.source})
	}
	return rows
}

// slug is a name as an anchor has it.
func slug(name string) string {
	return "name-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, shorten(name, 60))
}
