package refstore

import (
	"encoding/json"
	"fmt"
	"slices"
)

// state is the replicated data: a pure function of the commands applied to it, in order. Nothing in it
// depends on the node, on a clock, or on the order of a map.
type state struct {
	Data     map[string]Datum  `json:"data"`
	Sets     map[string]*set   `json:"sets"`
	Counters map[string]int    `json:"counters"`
	Queues   map[string][]int  `json:"queues"`
	Locks    map[string]*lock  `json:"locks"`
	Members  map[uint64]Member `json:"members"`
	Sessions *sessions         `json:"sessions"`
	Changed  map[string]uint64 `json:"changed,omitempty"` // write-skew: index of each key's last write

	applied uint64 // index of the last entry applied
	term    uint64 // and its term
	bug     string
}

func newState(bug string, maxSessions int) *state {
	return &state{
		Data: map[string]Datum{}, Sets: map[string]*set{}, Counters: map[string]int{}, Queues: map[string][]int{},
		Locks: map[string]*lock{}, Members: map[uint64]Member{}, Changed: map[string]uint64{},
		Sessions: newSessions(maxSessions), bug: bug,
	}
}

// encode writes the state in one form only: the same state gives the same bytes on every node.
func (s *state) encode() []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("encode state: %v", err)) // only plain fields: cannot happen
	}
	return text
}

// decodeState reads what encode wrote.
func decodeState(text []byte, bug string, maxSessions int) (*state, error) {
	s := newState(bug, maxSessions)
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("decode state: %w", err)
	}
	return s, nil
}

// apply carries out the command at index. once is false when the command had been applied before and
// was only looked up, or when it came too late to be applied.
func (s *state) apply(c *command, index uint64) (r Result, known bool) {
	if c.Client == "" || s.bug == BugDoubleApply {
		return s.perform(c, index), true
	}
	switch r, verdict := s.Sessions.find(c); verdict {
	case seenBefore:
		return r, true
	case tooLate:
		return Result{}, false
	}
	r = s.perform(c, index)
	s.Sessions.remember(c, index, r)
	return r, true
}

func (s *state) perform(c *command, index uint64) Result {
	switch c.Op {
	case OpWrite:
		s.set(c.Key, Int(c.Value), index)
	case OpCAS:
		return s.compareAndSet(c, index)
	case OpTxn:
		return s.txn(c, index)
	case OpAdd:
		s.setNamed(c.Key).add(c.Value)
	case OpIncrement:
		s.Counters[c.Key] += c.Value
	case OpEnqueue:
		s.Queues[c.Key] = append(s.Queues[c.Key], c.Value)
	case OpDequeue:
		return s.dequeue(c.Key)
	case OpAcquire, OpRelease, OpGuard, opExpire:
		return s.lockNamed(c.Key).perform(c, s.bug)
	default:
		return s.query(&c.Request)
	}
	return Result{}
}

// query answers a request that changes nothing.
func (s *state) query(q *Request) Result {
	switch q.Op {
	case OpRead:
		return Result{Value: s.Data[q.Key]}
	case OpTxn:
		seen := slices.Clone(q.Ops)
		for i := range seen {
			seen[i].Value = s.Data[seen[i].Key]
		}
		return Result{Ops: seen}
	case OpElements:
		if named, ok := s.Sets[q.Key]; ok {
			return Result{Ints: named.order}
		}
		return Result{}
	case OpCount:
		return Result{Value: Int(s.Counters[q.Key])}
	case OpGuarded:
		if l, ok := s.Locks[q.Key]; ok {
			return Result{Value: l.Value, Token: l.Token}
		}
		return Result{}
	}
	return Result{Refused: fmt.Sprintf("unknown operation %q", q.Op)}
}

func (s *state) set(key string, d Datum, index uint64) {
	s.Data[key] = d
	if s.bug == BugWriteSkew {
		s.Changed[key] = index
	}
}

func (s *state) compareAndSet(c *command, index uint64) Result {
	seen := s.Data[c.Key]
	if n, ok := seen.Int(); !ok || n != c.From {
		return Result{Refused: "another value is there", Value: seen}
	}
	s.set(c.Key, Int(c.Value), index)
	return Result{Value: seen}
}

// txn does all micro-ops or none; each sees what those before it wrote.
func (s *state) txn(c *command, index uint64) Result {
	if c.Snapshot > 0 {
		return s.txnFromSnapshot(c, index)
	}
	done, written, err := runTxn(c.Ops, func(key string) Datum { return s.Data[key] })
	if err != nil {
		return Result{Refused: err.Error()}
	}
	for _, m := range written {
		s.set(m.Key, m.Value, index)
	}
	return Result{Ops: done}
}

// txnFromSnapshot is the planted bug write-skew: the command carries what the transaction read from an
// earlier state, and only a conflict of two writes to the same key is looked for.
func (s *state) txnFromSnapshot(c *command, index uint64) Result {
	for _, m := range c.Ops {
		if m.F != "r" && s.Changed[m.Key] > c.Snapshot {
			return Result{Refused: "write conflict on " + m.Key}
		}
	}
	// The keys it writes have not changed since the snapshot, so that the writes can be computed here.
	_, written, err := runTxn(c.Ops, func(key string) Datum { return s.Data[key] })
	if err != nil {
		return Result{Refused: err.Error()}
	}
	for _, m := range written {
		s.set(m.Key, m.Value, index)
	}
	return Result{Ops: c.Ops}
}

// runTxn carries out micro-ops over a view of the data. It returns the ops with what the reads saw, and
// the final value of each written key, in order of the first write.
func runTxn(ops []MicroOp, view func(key string) Datum) (done, written []MicroOp, err error) {
	at := func(key string) int {
		return slices.IndexFunc(written, func(w MicroOp) bool { return w.Key == key })
	}
	done = slices.Clone(ops)
	for i, m := range done {
		current, w := Datum{}, at(m.Key)
		if w >= 0 {
			current = written[w].Value
		} else {
			current = view(m.Key)
		}
		switch m.F {
		case "r":
			done[i].Value = current
			continue
		case "append":
			n, _ := m.Value.Int()
			if current, err = current.Append(n); err != nil {
				return nil, nil, fmt.Errorf("%w: %s", err, m.Key)
			}
		default:
			current = m.Value
		}
		if w >= 0 {
			written[w].Value = current
		} else {
			written = append(written, MicroOp{F: "w", Key: m.Key, Value: current})
		}
	}
	return done, written, nil
}

func (s *state) dequeue(name string) Result {
	queue := s.Queues[name]
	if len(queue) == 0 {
		return Result{}
	}
	s.Queues[name] = queue[1:]
	return Result{Value: Int(queue[0])}
}

// prefetched is how many elements at the head of a queue the planted bug lost-message believes to be
// with a consumer already.
const prefetched = 16

// leaderChanged is called for the first entry of each term. The correct store has nothing to do then.
func (s *state) leaderChanged() {
	if s.bug != BugLostMessage {
		return
	}
	for name, queue := range s.Queues { // each on its own: the order cannot matter
		s.Queues[name] = queue[min(prefetched, len(queue)):]
	}
}
