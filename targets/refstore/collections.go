package refstore

import "encoding/json"

// set is a set of integers that remembers the order in which they came, so that it has one form only.
type set struct {
	order []int
	has   map[int]bool
}

func (s *state) setNamed(name string) *set {
	named, ok := s.Sets[name]
	if !ok {
		named = &set{has: map[int]bool{}}
		s.Sets[name] = named
	}
	return named
}

func (t *set) add(element int) {
	if !t.has[element] {
		t.has[element] = true
		t.order = append(t.order, element)
	}
}

// MarshalJSON writes the elements in the order in which they came.
func (t *set) MarshalJSON() ([]byte, error) { return json.Marshal(t.order) }

// UnmarshalJSON reads what MarshalJSON writes.
func (t *set) UnmarshalJSON(text []byte) error {
	*t = set{has: map[int]bool{}}
	if err := json.Unmarshal(text, &t.order); err != nil {
		return err
	}
	for _, element := range t.order {
		t.has[element] = true
	}
	return nil
}

// lock is a lease with a fencing token, and the register that the token guards. Tokens of one lock only
// ever grow. Time plays no part here: when a lease has run out the leader proposes opExpire.
type lock struct {
	Token int    `json:"token"` // the highest granted
	Held  bool   `json:"held"`
	Owner string `json:"owner,omitempty"`
	TTL   int    `json:"ttl_ms,omitempty"`
	Value Datum  `json:"value"` // what was written under a token last
}

func (s *state) lockNamed(name string) *lock {
	named, ok := s.Locks[name]
	if !ok {
		named = &lock{}
		s.Locks[name] = named
	}
	return named
}

func (l *lock) perform(c *command, bug string) Result {
	switch c.Op {
	case OpAcquire:
		if l.Held {
			return Result{Refused: "held by " + l.Owner}
		}
		l.Token++
		l.Held, l.Owner, l.TTL = true, c.Owner, c.TTL
		return Result{Token: l.Token}
	case OpRelease:
		if !l.Held || l.Token != c.Token || l.Owner != c.Owner {
			return Result{Refused: "not held with this token"}
		}
		l.Held = false
	case opExpire:
		if l.Held && l.Token == c.Token {
			l.Held = false
		}
	case OpGuard:
		if bug != BugUnfencedLock && c.Token != l.Token {
			return Result{Refused: "a higher token has been granted, or this one never was", Token: l.Token}
		}
		l.Value = Int(c.Value)
	}
	return Result{Token: l.Token}
}
