package results

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// episode is one time that a fault was in force. It counts from the moment the
// inject was asked for to the moment the heal was done: in between, anything
// that an operation suffered may be its doing.
type episode struct {
	Nemesis  string
	Kind     string
	From, To time.Duration
	Damage   damage
	What     string   // the damage in words
	Seen     []string // the evidence in words
	Trouble  string   // why it counts as not verified
	Healed   string   // "" if it never was
	HealOp   int      // the heal's completion, -1 if none

	Read   map[string]time.Duration // how far off each node's clock was seen to be
	ReadAt time.Duration
}

// Verified tells whether the fault was seen to take effect.
func (e *episode) Verified() bool { return e.Trouble == "" }

// Name returns the nemesis as people read it: "partition, halves".
func (e *episode) Name() string { return strings.Replace(e.Nemesis, ":", ", ", 1) }

// During returns the time in force.
func (e *episode) During() time.Duration { return e.To - e.From }

// episodesOf returns what the nemeses did, in order.
func episodesOf(h fallacy.History, end time.Duration) []*episode {
	var all []*episode
	open := make(map[string]*episode)
	for c := range h.Faults() {
		name := c.Invoke.Nemesis
		before := open[name]
		switch c.Invoke.F {
		case "inject":
			if before != nil { // what is imposed now replaces what was before
				before.To, before.Healed = c.Invoke.Time, "replaced by the next one"
			}
			e := injected(c, end)
			all, open[name] = append(all, e), e
		case "heal":
			if before == nil {
				continue
			}
			delete(open, name)
			before.heal(c)
		}
	}
	return all
}

func injected(c fallacy.Call, end time.Duration) *episode {
	e := &episode{Nemesis: c.Invoke.Nemesis, From: c.Invoke.Time, To: end, HealOp: -1}
	if c.Complete == nil {
		e.Kind, e.Trouble, e.What = kindOf(e.Nemesis), "it was never heard of again", "unknown"
		return e
	}
	v := c.Complete.Value
	e.Damage, e.Trouble = damageOf(v.Get("damage")), c.Complete.Error
	e.Seen = evidenceWords(v.Get("evidence"))
	e.Read, e.ReadAt = readClocks(v.Get("evidence").Get("skew_ns")), c.Complete.Time
	if e.Kind = e.Damage.kind(); e.Kind == "" {
		e.Kind = kindOf(e.Nemesis)
	}
	switch {
	case len(e.Damage) > 0:
		e.What = e.Damage.String()
		if family, _, _ := strings.Cut(e.Nemesis, ":"); family == "member" {
			e.What = strings.ReplaceAll(e.What, " "+fallacy.Killed.String(), " removed from the cluster and killed")
		}
	case v.IsNil():
		e.What = "nothing was reported"
	default:
		e.What = shorten(v.String(), 300)
	}
	return e
}

func (e *episode) heal(c fallacy.Call) {
	if c.Complete == nil {
		return
	}
	e.To, e.HealOp = c.Complete.Time, c.Complete.Index
	e.Healed = "after " + lasting(c.Complete.Time-c.Invoke.Time)
	if c.Complete.Error != "" {
		e.Healed = "not seen to be healed: " + c.Complete.Error
	}
}

// evidenceWords says what a verification saw. Fields that are not known are
// shown as they are.
func evidenceWords(v fallacy.Value) []string {
	fields, ok := v.Fields()
	if !ok {
		if v.IsNil() {
			return nil
		}
		return []string{shorten(v.String(), 200)}
	}
	var words []string
	for _, f := range fields {
		each, _ := f.Value.Fields()
		list, _ := f.Value.List()
		n, isInt := f.Value.Int()
		switch {
		case f.Name == "process" && len(each) > 0:
			for _, p := range each {
				words = append(words, p.Name+" "+plain(p.Value))
			}
		case f.Name == "members" && len(list) > 0:
			words = append(words, "members are "+listing(plainList(list)))
		case f.Name == "skew_ns" && len(each) > 0:
			for _, p := range each {
				words = append(words, readsClock(p))
			}
		case f.Name == "compact" && len(each) > 0, f.Name == "defrag" && len(each) > 0:
			for _, p := range each {
				words = append(words, p.Name+": "+didTask(p.Value))
			}
		case f.Name == "open_links" && n == 0 && isInt:
		case f.Name == "open_links" && isInt:
			words = append(words, some(n, "link")+" answered")
		case f.Name == "closed_links" && len(list) > 0:
			words = append(words, some(len(list), "link")+" let nothing through")
		case f.Name == "unseen_links" && len(list) > 0:
			words = append(words, some(len(list), "link")+" could not be looked at, as the way back was closed")
		case f.Name == "rtt_ns" && len(list) > 0:
			words = append(words, slowLinks(list))
		case f.Name == "packets" && len(list) > 0:
			words = append(words, countedPackets(list)...)
		default:
			words = append(words, f.Name+" "+shorten(plain(f.Value), 120))
		}
	}
	slices.SortStableFunc(words, func(a, b string) int { // what was broken comes first
		return strings.Compare(rankOf(a), rankOf(b))
	})
	return words
}

// didTask says what a node's maintenance saw of its own effect.
func didTask(v fallacy.Value) string {
	revision, compacted := v.Get("revision").Int()
	refused, _ := v.Get("refused").Int()
	before, defragmented := v.Get("before").Int()
	after, _ := v.Get("after").Int()
	used, _ := v.Get("in_use").Int()
	switch {
	case compacted:
		return fmt.Sprintf("compacted to revision %d, and refuses to read revision %d", revision, refused)
	case defragmented:
		return fmt.Sprintf("%s became %s, of which %s are in use", some(before, "byte"), some(after, "byte"), some(used, "byte"))
	}
	return shorten(plain(v), 160)
}

// linksTold is how many links' packets are told of one by one.
const linksTold = 4

// countedPackets says what became of the packets that were sent to be counted.
func countedPackets(links []fallacy.Value) []string {
	var words []string
	for i, l := range links {
		if i == linksTold {
			return append(words, some(len(links)-i, "more link")+" counted")
		}
		link, _ := l.Get("link").Str()
		sent, _ := l.Get("sent").Int()
		arrived, _ := l.Get("arrived").Int()
		text := fmt.Sprintf("%s: of %s %s arrived", strings.Replace(link, ">", " to ", 1), some(sent, "packet"), count(arrived))
		for _, more := range []struct{ field, word string }{{"repeated", "twice"}, {"overtaken", "out of order"}} {
			if n, _ := l.Get(more.field).Int(); n > 0 {
				text += fmt.Sprintf(", %s %s", count(n), more.word)
			}
		}
		words = append(words, text)
	}
	return words
}

func rankOf(words string) string {
	if strings.HasSuffix(words, "answered") {
		return "1"
	}
	return "0"
}

// readClocks returns how far off clocks were seen to be, by node.
func readClocks(v fallacy.Value) map[string]time.Duration {
	fields, _ := v.Fields()
	read := make(map[string]time.Duration)
	for _, f := range fields {
		if n, ok := f.Value.Int(); ok {
			read[f.Name] = time.Duration(n)
		}
	}
	return read
}

func readsClock(f fallacy.Field) string {
	n, ok := f.Value.Int()
	if !ok {
		return f.Name + ": " + plain(f.Value)
	}
	sign := "+"
	if n < 0 {
		sign = ""
	}
	return f.Name + "’s process reads " + sign + lasting(time.Duration(n))
}

func slowLinks(list []fallacy.Value) string {
	least, most := time.Duration(1<<62), time.Duration(0)
	for _, l := range list {
		_, took, _ := l.Tuple()
		n, _ := took.Int()
		least, most = min(least, time.Duration(n)), max(most, time.Duration(n))
	}
	return fmt.Sprintf("%s took %s to %s there and back", some(len(list), "link"), lasting(least), lasting(most))
}

func plainList(list []fallacy.Value) []string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = plain(v)
	}
	return words
}

// plain returns a string without its quotes, and any other value as JSON.
func plain(v fallacy.Value) string {
	if s, ok := v.Str(); ok {
		return s
	}
	return v.String()
}
