package results

import "github.com/fallacy-dev/fallacy"

// stuck is how far an order of calls goes, as the page tells it.
type stuck struct {
	Earlier int
	From    string
	Order   []stuckCall
	Next    []stuckCall
	More    int
	Whole   bool
}

// stuckCall is a call in the order, with the state after it, or one that cannot
// come next, and why.
type stuckCall struct {
	storyCall
	State, Why string
}

// stuckOf puts what a checker says of it into words; nil: it said nothing.
func stuckOf(s *fallacy.Stuck, c *calls) *stuck {
	if s == nil {
		return nil
	}
	told := &stuck{Earlier: s.Earlier, From: shorten(s.From, 200), More: s.More, Whole: s.Whole}
	told.Order, told.Next = c.placed(s.Order), c.placed(s.Next)
	return told
}

func (c *calls) placed(all []fallacy.Placed) []stuckCall {
	var told []stuckCall
	for _, p := range all[:min(len(all), storyCallsMax)] {
		if at, ok := c.of(p.Op); ok {
			told = append(told, stuckCall{storyCallOf(c, c.all[at]), shorten(p.State, 200), shorten(p.Why, 400)})
		}
	}
	return told
}

// ResultStuck is how far an order of the calls goes that explains their answers
// and agrees with real time, and why no call can come next.
type ResultStuck struct {
	Earlier int            `json:"earlier"`        // calls in the order before those that are listed
	From    string         `json:"from"`           // the state before the first that is listed
	Order   []ResultPlaced `json:"order"`          // the end of the order
	Next    []ResultPlaced `json:"next"`           // the calls of which one would have to come next
	More    int            `json:"more,omitempty"` // further ones of those
	Whole   bool           `json:"whole"`          // all orders were tried: none goes further
}

// ResultPlaced is a call in an order, or one that cannot come next.
type ResultPlaced struct {
	Op    int    `json:"op"`              // index of the invocation in the history
	Words string `json:"words"`           // what was asked and seen
	State string `json:"state,omitempty"` // after it
	Why   string `json:"why,omitempty"`   // why it cannot come next
}

func (s *stuck) result() *ResultStuck {
	if s == nil {
		return nil
	}
	list := func(all []stuckCall) []ResultPlaced {
		out := []ResultPlaced{}
		for _, c := range all {
			out = append(out, ResultPlaced{c.Op, c.Words, c.State, c.Why})
		}
		return out
	}
	return &ResultStuck{s.Earlier, s.From, list(s.Order), list(s.Next), s.More, s.Whole}
}
