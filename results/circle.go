package results

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

const (
	dCircleLane = 112 // lanes are further apart, for the arrows and their labels
	dApart      = 20  // between the arrows of one bar
	dBarHalf    = 7
	dArc        = 46 // how far an arrow between two calls of one process swings out
)

// dStep is an arrow of a cycle.
type dStep struct {
	Path  string
	X, Y  float64 // of the label
	Words string
	Last  bool
}

// drawCycle lays out the calls of a cycle by process and time, with an arrow a step.
func drawCycle(s *story) *diagram {
	shown := slices.Clone(s.circle)
	if len(shown) > diagramMax { // those at its beginning, and the one that closes it
		shown = append(shown[:diagramMax-1], shown[len(shown)-1])
	}
	slices.SortStableFunc(shown, func(a, b storyCall) int { return cmp.Compare(a.From, b.From) })
	d := &diagram{Label: "A cycle of " + some(len(s.circle), "operation") + " over time; the list of its steps says the same."}
	lanes := d.layLanes(shown, len(s.During), dCircleLane)
	times := newScale(shown, lanes)
	d.Width = times.end + 24
	bars := make(map[string]int)
	for i, call := range shown {
		b := d.bar(call, lanes[call.Process], times, false)
		b.Title += ", " + b.Times
		b.TextX, b.Anchor = b.X, "start"
		d.Width = max(d.Width, b.X+barWidth(call)+24)
		b.Times, b.Under = "", len(d.Lanes) > 1 && lanes[call.Process] == len(d.Lanes)-1
		d.Bars = append(d.Bars, b)
		bars[call.Name] = i
	}
	d.layBands(s.During, times)
	d.layArrows(s, bars)
	d.Gaps = times.gaps()
	return d
}

// tie is where a step is tied to a bar.
type tie struct {
	step  int
	leads bool    // from the bar
	other float64 // the middle of the other bar
}

// layArrows draws the steps between shown bars. The arrows of a bar are side by
// side, in the order in which they lead to the left or right, so that few cross.
func (d *diagram) layArrows(s *story, bars map[string]int) {
	ties := make([][]tie, len(d.Bars))
	middle := func(b dBarRow) float64 { return b.X + b.W/2 }
	for i, st := range s.Steps {
		from, ok := bars[st.From]
		to, also := bars[st.To]
		if ok && also {
			ties[from] = append(ties[from], tie{i, true, middle(d.Bars[to])})
			ties[to] = append(ties[to], tie{i, false, middle(d.Bars[from])})
		}
	}
	starts, ends := make(map[int]float64), make(map[int]float64)
	for i, b := range d.Bars {
		slices.SortStableFunc(ties[i], func(x, y tie) int {
			return cmp.Or(cmp.Compare(x.other, y.other), cmp.Compare(x.step, y.step))
		})
		apart := max(b.W/float64(len(ties[i])+1), dApart)
		for k, t := range ties[i] {
			x := middle(b) + apart*(float64(k)-float64(len(ties[i])-1)/2)
			if t.leads {
				starts[t.step] = x
			} else {
				ends[t.step] = x
			}
		}
	}
	for i, st := range s.Steps {
		if x, ok := starts[i]; ok {
			number := i + 1
			if st.Last {
				number = s.LastStep()
			}
			d.Steps = append(d.Steps, d.step(x, ends[i], d.Bars[bars[st.From]], d.Bars[bars[st.To]], itoa(number)+" "+st.Type, st.Last))
		}
	}
}

// step draws one arrow: upright where it leaves and arrives, curved between.
func (d *diagram) step(x1, x2 float64, from, to dBarRow, words string, last bool) dStep {
	side := 1.0 // down
	if to.Y < from.Y || to.Y == from.Y && from.Under {
		side = -1
	}
	y1, y2 := from.Y+side*dBarHalf, to.Y-side*(dBarHalf+1)
	c1, c2 := y1+(y2-y1)/2, y1+(y2-y1)/2
	if from.Y == to.Y {
		y2 = to.Y + side*(dBarHalf+1)
		c1, c2 = y1+side*dArc*4/3, y1+side*dArc*4/3
	}
	st := dStep{Words: words, Last: last}
	st.Path = "M" + px(x1) + " " + px(y1) + "C" + px(x1) + " " + px(c1) + " " + px(x2) + " " + px(c2) + " " + px(x2) + " " + px(y2)
	for _, t := range []float64{.5, .36, .64, .26, .74, .18, .82} {
		st.X, st.Y = bezier(t, x1, x1, x2, x2), bezier(t, y1, c1, c2, y2)
		if !slices.ContainsFunc(d.Steps, func(o dStep) bool { return near(o, st) }) && !slices.ContainsFunc(d.Bars, func(b dBarRow) bool { return hides(b, st) }) {
			break
		}
	}
	return st
}

// near tells whether two labels would meet.
func near(a, b dStep) bool {
	width := dLetter * float64(max(len(a.Words), len(b.Words)))
	return a.X-b.X < width && b.X-a.X < width && a.Y-b.Y < 16 && b.Y-a.Y < 16
}

// hides tells whether a label would lie on a bar, or on the words above it.
func hides(b dBarRow, label dStep) bool {
	half := dLetter * float64(len(label.Words)) / 2
	width := max(b.W, dLetter*float64(utf8.RuneCountInString(b.Words)))
	return label.X+half > b.X && label.X-half < b.X+width && label.Y > b.Y-28 && label.Y < b.Y+16
}

// bezier returns one coordinate of a cubic curve at t.
func bezier(t, a, b, c, d float64) float64 {
	u := 1 - t
	return u*u*u*a + 3*u*u*t*b + 3*u*t*t*c + t*t*t*d
}
