package results

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stamp is the time that a line of a log says it was written.
type stamp struct {
	at    time.Time
	zoned bool // it says in which zone; else it is taken for UTC
	dated bool // it says on which day; else on the first of the year 1
}

// stampFormat is a way to write the time: where it is in a line, and how.
type stampFormat struct {
	in           *regexp.Regexp
	layouts      []string
	zoned, dated bool
}

func (f *stampFormat) find(line string) (s stamp, ok bool) {
	m := f.in.FindStringSubmatch(line)
	if m == nil {
		return s, false
	}
	text := strings.Replace(m[1], ",", ".", 1)
	for _, layout := range f.layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return stamp{at: at, zoned: f.zoned, dated: f.dated}, true
		}
	}
	return s, false
}

// stampFormats are those of servers.
var stampFormats = []stampFormat{
	// RFC 3339, alone or as the field ts of a line of JSON, as zap and etcd write it; also with a space, as PostgreSQL does.
	{regexp.MustCompile(`^\W{0,3}(?:"?level"?[:=]"?\w+"?[, ]+)?(?:"?(?:ts|time|timestamp|@timestamp)"?[:=])?"?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)? ?(?:Z|[+-]\d\d:?\d\d))`),
		[]string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 Z0700"}, true, true},
	{regexp.MustCompile(`^\W{0,3}(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?)`), []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"}, false, true},
	// Redis: 1234:M 22 Nov 2026 12:53:07.058 * Ready
	{regexp.MustCompile(`^\d+:[A-Z] (\d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d+)`), []string{"2 Jan 2006 15:04:05.999"}, false, true},
	// Go's package log.
	{regexp.MustCompile(`^(?:[\w\[\]-]+:? )?(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)?)`), []string{"2006/01/02 15:04:05.999999999"}, false, true},
	// Time of day only, as the bundled store writes it; and klog, whose day has no year.
	{regexp.MustCompile(`^\[?(\d\d:\d\d:\d\d[.,]\d+)`), []string{"15:04:05.999999999"}, false, false},
	{regexp.MustCompile(`^[IWEFD]\d{4} (\d\d:\d\d:\d\d\.\d+)`), []string{"15:04:05.999999999"}, false, false},
}

// unixStamp is a number of seconds, as zap writes it where it is not told otherwise.
var unixStamp = regexp.MustCompile(`^\{(?:"level":"\w+",)?"(?:ts|time)":(\d{9,10})(\.\d{1,9})?[,}]`)

// stampMax is how much of a line is looked at.
const stampMax = 120

// stampOf finds the time in a line of a log.
func stampOf(line string) (s stamp, ok bool) {
	line = line[:min(len(line), stampMax)]
	for i := range stampFormats {
		if s, ok := stampFormats[i].find(line); ok {
			return s, true
		}
	}
	if m := unixStamp.FindStringSubmatch(line); m != nil {
		seconds, _ := strconv.ParseInt(m[1], 10, 64) // ten digits at most
		fraction, _ := strconv.ParseFloat("0"+m[2], 64)
		return stamp{at: time.Unix(seconds, int64(fraction*1e9)), zoned: true, dated: true}, true
	}
	return s, false
}

// wallClock maps the times of one log to the run's axis.
type wallClock struct {
	epoch  time.Time     // the instant that is 0 on the axis
	skews  []skewed      // what clock faults did to whoever wrote the log
	shift  time.Duration // of a log that does not say its zone, or its day
	known  bool          // whether shift is
	before time.Duration // the line before
	format *stampFormat  // of the line before
}

// skewed is a time during which a clock was wrong.
type skewed struct {
	from, to      time.Duration
	offset        time.Duration
	drift         float64
	strobe, stuck bool
}

// stamp finds the time in the next line of the log, first in the form of the
// line before: a log as a rule has one.
func (w *wallClock) stamp(line string) (s stamp, ok bool) {
	line = line[:min(len(line), stampMax)]
	if !strings.ContainsAny(line, ":.") {
		return s, false
	}
	if w.format != nil {
		if s, ok := w.format.find(line); ok {
			return s, true
		}
	}
	for i := range stampFormats {
		if s, ok := stampFormats[i].find(line); ok {
			w.format = &stampFormats[i]
			return s, true
		}
	}
	return stampOf(line)
}

// quarter is what all zones of the world differ by, or a multiple of it.
const quarter = 15 * time.Minute

// slack is how far a line may seem to be from before the one above it: several
// threads write one log.
const slack = 50 * time.Millisecond

// place returns where on the axis a line belongs. Lines are given in their
// order. A log without a zone is taken to be of the zone that puts its first line next to the run.
func (w *wallClock) place(s stamp) time.Duration {
	at := s.at.Sub(w.epoch)
	if !s.zoned {
		if !s.dated {
			day := time.Date(w.epoch.Year(), w.epoch.Month(), w.epoch.Day(), 0, 0, 0, 0, time.UTC)
			at = day.Add(s.at.Sub(s.at.Truncate(24 * time.Hour))).Sub(w.epoch)
		}
		if !w.known {
			w.shift, w.known = -at.Round(quarter), true
		}
		if at += w.shift; !s.dated && at < w.before-12*time.Hour { // past midnight
			w.shift += 24 * time.Hour
			at += 24 * time.Hour
		}
	}
	at = w.right(at)
	w.before = max(w.before, at)
	return at
}

// right undoes what a clock fault did: of the moments at which the clock can
// have shown a time, it takes the one that goes on from the line before.
func (w *wallClock) right(shown time.Duration) time.Duration {
	best, found := shown, false
	for _, at := range w.moments(shown) {
		if at >= w.before-slack && (!found || at < best) {
			best, found = at, true
		}
	}
	if found {
		return best
	}
	for _, s := range w.skews { // it stood still, or strobed, or nobody knows
		if w.before >= s.from && w.before <= s.to {
			return w.before
		}
	}
	return shown
}

// moments are those at which the clock can have shown a time.
func (w *wallClock) moments(shown time.Duration) (all []time.Duration) {
	sound := true
	for _, s := range w.skews {
		if shown > s.from && shown < s.to && !s.strobe {
			sound = false
		}
		if s.stuck {
			continue
		}
		at := s.from + time.Duration(float64(shown-s.offset-s.from)/(1+s.drift))
		if at >= s.from-slack && at <= s.to+slack {
			all = append(all, at)
		}
	}
	if sound {
		all = append(all, shown)
	}
	return all
}

// clockOf is what the clock of a node went through.
func clockOf(node string, epoch time.Time, episodes []*episode) *wallClock {
	w := &wallClock{epoch: epoch, before: math.MinInt64 / 2}
	for _, e := range episodes {
		if s := e.Damage[node].Clock; s.Offset != 0 || s.Drift != 0 || s.Strobe != 0 || s.Frozen {
			w.skews = append(w.skews, skewed{from: e.From, to: e.To, offset: s.Offset, drift: s.Drift / 1e6, strobe: s.Strobe > 0, stuck: s.Frozen})
		}
	}
	return w
}
