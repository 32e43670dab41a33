package results

import (
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Measures of a space-time diagram, in the units of its viewBox.
const (
	dGutter = 96  // names of processes
	dWidth  = 900 // at least
	dLane   = 62
	dLeast  = 60 // between two moments of a call
	dLetter = 6.9
)

// diagram is a space-time diagram: a line per process, a bar from invocation to
// completion. Time is stretched where the calls are and shortened where nothing
// happens; the order of all moments is kept.
type diagram struct {
	Width, Height float64
	Bottom        float64 // of the lanes
	Lanes         []dLaneRow
	Bars          []dBarRow
	Bands         []dBand
	Arrows        []string // paths
	Steps         []dStep  // of a cycle
	Gaps          []dGap
	Label         string // for those who cannot see it
}

type dLaneRow struct {
	Y    float64
	Name string
	Node string
}

type dBarRow struct {
	X, Y, W      float64
	Op           int
	Type         string
	Last         bool // the call that cannot be explained
	Words, Times string
	Title        string
	TextX        float64
	Anchor       string
	Under        bool // the words, instead of over the bar
}

type dBand struct {
	X, W, Y float64
	H       float64
	Kind    string
	Words   string
	TextX   float64
}

type dGap struct {
	From, To, Middle float64
	Words            string
}

// draw lays a story out; nil if it has no calls.
func draw(s *story) *diagram {
	if len(s.Steps) > 0 {
		return drawCycle(s)
	}
	shown := s.Calls[:min(len(s.Calls), diagramMax)]
	if len(shown) == 0 {
		return nil
	}
	d := &diagram{Label: "Space-time diagram of " + some(len(shown), "operation") + "; the table holds the same."}
	lanes := d.layLanes(shown, len(s.During), dLane)
	times := newScale(shown, lanes)
	d.Width = times.end + 24
	culprit := shown[len(shown)-1].Op
	if pairs := s.ordered(); len(pairs) > 0 {
		culprit = pairs[len(pairs)-1].second.Op
	}
	for _, call := range shown {
		d.Bars = append(d.Bars, d.bar(call, lanes[call.Process], times, call.Op == culprit && follows(call, shown)))
	}
	d.layBands(s.During, times)
	d.arrows(shown)
	d.Gaps = times.gaps()
	return d
}

// follows tells whether a call began only after another had ended. Then it is
// the one whose answer the others contradict; of calls side by side none is.
func follows(call storyCall, shown []storyCall) bool {
	return slices.ContainsFunc(shown, func(c storyCall) bool { return c.Ended && c.To < call.From })
}

func (d *diagram) layLanes(shown []storyCall, bands int, apart float64) map[int]int {
	lanes := make(map[int]int)
	top := 18 + 16*float64(min(bands, bandsMax))
	for _, call := range shown {
		if _, ok := lanes[call.Process]; ok {
			continue
		}
		node := ""
		if call.Node != "" {
			node = "on " + shorten(call.Node, 12)
		}
		y := top + float64(len(lanes))*apart + 34
		lanes[call.Process] = len(lanes)
		d.Lanes = append(d.Lanes, dLaneRow{Y: y, Name: "p" + itoa(call.Process), Node: node})
	}
	d.Bottom = d.Lanes[len(d.Lanes)-1].Y + 34
	d.Height = d.Bottom + 30
	return lanes
}

func (d *diagram) bar(call storyCall, lane int, times *scale, last bool) dBarRow {
	b := dBarRow{
		Y: d.Lanes[lane].Y, X: times.at(call.From), Op: call.Op, Type: call.Type, Last: last && call.Ended,
		Words: barWords(call), Times: seconds(call.From) + " to " + endWords(call),
		Title: call.Words + ": " + call.Outcome, Anchor: "start",
	}
	end := times.end
	if call.Ended {
		end = times.at(call.To)
	}
	b.W = max(end-b.X, 3)
	b.TextX = b.X
	if b.X+barWidth(call) > times.end+24 {
		b.TextX, b.Anchor = b.X+b.W, "end"
	}
	return b
}

const barMost = 34 // letters

func barWords(call storyCall) string {
	if call.Short != "" {
		return call.Short
	}
	return clip(call.Words, barMost)
}

// clip cuts text to at most n letters.
func clip(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// barWidth is how much room the words of a call take.
func barWidth(call storyCall) float64 {
	times := seconds(call.From) + " to " + endWords(call)
	return dLetter*float64(max(utf8.RuneCountInString(barWords(call)), utf8.RuneCountInString(times))) + 10
}

func endWords(call storyCall) string {
	if call.Ended {
		return seconds(call.To)
	}
	return "no one knows"
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

const bandsMax = 3

func (d *diagram) layBands(during []*episode, times *scale) {
	for i, e := range during[:min(len(during), bandsMax)] {
		x, to := times.at(e.From), times.at(e.To)
		words := e.What
		if e.From < times.moments[0] {
			words += ", since " + moment(e.From)
		}
		room := int((d.Width - x) / dLetter)
		if r := []rune(words); len(r) > room && room > 1 {
			words = string(r[:room-1]) + "…"
		}
		d.Bands = append(d.Bands, dBand{X: x, W: max(to-x, 2), Y: 12 + 16*float64(i), H: d.Bottom - 12 - 16*float64(i), Kind: e.Kind, Words: words, TextX: x + 4})
	}
}

// arrows draws the order that real time forces: from each call's end to the
// calls that began only then, leaving out what follows from other arrows and
// what a process's own line shows.
func (d *diagram) arrows(shown []storyCall) {
	before := func(a, b storyCall) bool { return a.Ended && a.To < b.From }
	for i, a := range shown {
		for j, b := range shown {
			if a.Process == b.Process || !before(a, b) {
				continue
			}
			implied := slices.ContainsFunc(shown, func(m storyCall) bool { return before(a, m) && before(m, b) })
			if implied {
				continue
			}
			from, to := d.Bars[i], d.Bars[j]
			d.Arrows = append(d.Arrows, "M"+px(from.X+from.W)+" "+px(from.Y)+"H"+px(to.X-11)+"V"+px(to.Y)+"H"+px(to.X-1))
		}
	}
}

func px(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

// scale maps time to the diagram's width, keeping the order of moments.
type scale struct {
	moments []time.Duration // when a shown call began or ended
	x       []float64
	idle    []bool // whether nothing shown is under way between a moment and the next
	end     float64
}

func newScale(shown []storyCall, lanes map[int]int) *scale {
	s := &scale{}
	for _, call := range shown {
		s.moments = append(s.moments, call.From)
		if call.Ended {
			s.moments = append(s.moments, call.To)
		}
	}
	slices.Sort(s.moments)
	s.moments = slices.Compact(s.moments)
	s.x = make([]float64, len(s.moments))
	s.idle = make([]bool, len(s.moments))
	x := float64(dGutter + 30)
	for i := range s.moments {
		s.x[i] = x
		if i+1 == len(s.moments) {
			break
		}
		s.idle[i] = !slices.ContainsFunc(shown, func(c storyCall) bool {
			return c.Ended && c.From <= s.moments[i] && c.To >= s.moments[i+1]
		})
		x += dLeast
	}
	s.makeRoom(shown, lanes)
	s.spread(shown)
	return s
}

// makeRoom moves moments apart until the words of calls on one line do not meet.
func (s *scale) makeRoom(shown []storyCall, lanes map[int]int) {
	last := make(map[int]storyCall)
	for _, call := range shown { // in the order of their invocations
		lane := lanes[call.Process]
		if before, ok := last[lane]; ok {
			if lack := s.at(before.From) + barWidth(before) - s.at(call.From); lack > 0 {
				for i, m := range s.moments {
					if m >= call.From {
						s.x[i] += lack
					}
				}
			}
		}
		last[lane] = call
	}
}

// spread uses the width that there is.
func (s *scale) spread(shown []storyCall) {
	first, last := s.x[0], s.x[len(s.x)-1]
	tail := barWidth(shown[len(shown)-1]) * 0.4
	if open := slices.ContainsFunc(shown, func(c storyCall) bool { return !c.Ended }); open {
		tail = max(tail, 90)
	}
	if room := dWidth - 24 - tail - first; last > first && last-first < room {
		k := min(room/(last-first), 3)
		for i := range s.x {
			s.x[i] = first + (s.x[i]-first)*k
		}
	}
	s.end = max(s.x[len(s.x)-1]+tail, dWidth-24)
}

// at returns where a time is: moments where they are, others in proportion.
func (s *scale) at(t time.Duration) float64 {
	i, exact := slices.BinarySearch(s.moments, t)
	switch {
	case exact:
		return s.x[i]
	case i == 0:
		return dGutter + 8
	case i == len(s.moments):
		if s.end == 0 {
			return s.x[i-1]
		}
		return s.end
	}
	share := float64(t-s.moments[i-1]) / float64(s.moments[i]-s.moments[i-1])
	return s.x[i-1] + share*(s.x[i]-s.x[i-1])
}

// gaps tells how long the stretches are in which nothing shown was under way.
func (s *scale) gaps() []dGap {
	var gaps []dGap
	for i, idle := range s.idle {
		if idle {
			d := s.moments[i+1] - s.moments[i]
			gaps = append(gaps, dGap{s.x[i] + 4, s.x[i+1] - 4, (s.x[i] + s.x[i+1]) / 2, lasting(d)})
		}
	}
	return gaps
}
