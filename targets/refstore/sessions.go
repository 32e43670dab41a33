package refstore

import (
	"encoding/json"
	"slices"
)

// sessions remembers each client's last command and what came of it, so that a retry takes effect once.
// It is bounded: the client whose last command is the oldest is forgotten first. What is forgotten
// cannot be mistaken for new: a command says how far the log had got when it was born (Born), and one
// born before the end of a forgotten client's last command is not applied.
type sessions struct {
	max   int
	floor uint64
	by    map[string]*session
	order []touch // by index; a client that came again leaves an outdated touch behind
}

type session struct {
	Client string `json:"c"`
	Seq    uint64 `json:"s"`
	Part   int    `json:"p,omitempty"`
	Index  uint64 `json:"i"`
	Result Result `json:"r"`
}

type touch struct {
	client string
	index  uint64
}

func newSessions(max int) *sessions { return &sessions{max: max, by: map[string]*session{}} }

type acquaintance uint8

const (
	unseen     acquaintance = iota
	seenBefore              // applied already, with this result
	tooLate                 // the client has moved on, or was forgotten: whether it was applied is not known
)

func (t *sessions) find(c *command) (Result, acquaintance) {
	known, ok := t.by[c.Client]
	switch {
	case !ok && c.Born < t.floor:
		return Result{}, tooLate
	case !ok || known.Seq < c.Seq || known.Seq == c.Seq && known.Part < c.Part:
		return Result{}, unseen
	case known.Seq == c.Seq && known.Part == c.Part:
		return known.Result, seenBefore
	}
	return Result{}, tooLate
}

func (t *sessions) remember(c *command, index uint64, r Result) {
	t.by[c.Client] = &session{Client: c.Client, Seq: c.Seq, Part: c.Part, Index: index, Result: r}
	t.order = append(t.order, touch{c.Client, index})
	if len(t.order) > 2*t.max {
		t.order = slices.DeleteFunc(t.order, func(o touch) bool { return !t.current(o) })
	}
	for len(t.by) > t.max {
		t.forgetOldest()
	}
}

// current says whether o is its client's newest touch. Outdated ones count for nothing: a node that
// restored a snapshot does not have them, and must forget the same clients as everybody else.
func (t *sessions) current(o touch) bool {
	s := t.by[o.client]
	return s != nil && s.Index == o.index
}

func (t *sessions) forgetOldest() {
	first := t.order[0]
	t.order = t.order[1:]
	if t.current(first) {
		delete(t.by, first.client)
		t.floor = max(t.floor, first.index)
	}
}

type sessionsForm struct {
	Floor uint64     `json:"floor"`
	Known []*session `json:"known"`
}

// MarshalJSON writes the sessions from the oldest to the newest.
func (t *sessions) MarshalJSON() ([]byte, error) {
	form := sessionsForm{Floor: t.floor}
	for _, touched := range t.order {
		if t.current(touched) {
			form.Known = append(form.Known, t.by[touched.client])
		}
	}
	return json.Marshal(form)
}

// UnmarshalJSON reads what MarshalJSON writes; the bound stays as it is.
func (t *sessions) UnmarshalJSON(text []byte) error {
	var form sessionsForm
	if err := json.Unmarshal(text, &form); err != nil {
		return err
	}
	t.floor, t.by, t.order = form.Floor, map[string]*session{}, nil
	slices.SortStableFunc(form.Known, func(a, b *session) int { return int(a.Index) - int(b.Index) })
	for _, s := range form.Known {
		t.by[s.Client] = s
		t.order = append(t.order, touch{s.Client, s.Index})
	}
	return nil
}
