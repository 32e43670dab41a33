package suite

import "fmt"

// Change is how a test fares otherwise than before.
type Change struct {
	Group  string  `json:"group"`
	Kind   string  `json:"kind"` // "new", "gone", "rarer" or "more often"
	Before Share   `json:"before"`
	Now    Share   `json:"now"`
	Chance float64 `json:"chance"` // that the two differ so much by chance alone
}

// significant is the chance below which a difference of shares is told.
const significant = 0.05

// Compare tells what changed since a baseline: of each test, how often it is
// invalid. What was never seen before, or is not seen now, is always told, with
// the chance that it is no change at all; a share that went up or down only if
// that is unlikely to be chance.
func (s *Summary) Compare(baseline Summary, name string) {
	s.Baseline, s.Changes = name, nil
	before := make(map[string]Share)
	for _, g := range baseline.Groups {
		before[g.Group] = g.Invalid
	}
	for _, g := range s.Groups {
		was, ok := before[g.Group]
		if !ok || was.Of == 0 || g.Invalid.Of == 0 {
			continue
		}
		c := Change{Group: g.Group, Before: was, Now: g.Invalid, Chance: differ(was, g.Invalid)}
		switch {
		case was.N == 0 && c.Now.N > 0:
			c.Kind = "new"
		case was.N > 0 && c.Now.N == 0:
			c.Kind = "gone"
		case c.Chance >= significant:
			continue
		case rate(c.Now) < rate(was):
			c.Kind = "rarer"
		default:
			c.Kind = "more often"
		}
		s.Changes = append(s.Changes, c)
	}
}

func rate(s Share) float64 { return float64(s.N) / float64(max(1, s.Of)) }

// String returns the change in a line.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s: invalid %d of %d, before %d of %d (chance of that if nothing changed: %.2g)",
		c.Kind, c.Group, c.Now.N, c.Now.Of, c.Before.N, c.Before.Of, c.Chance)
}

// String returns the share with its interval: "3 of 20 (5 % to 36 %)".
func (s Share) String() string {
	return fmt.Sprintf("%d of %d (%.0f %% to %.0f %%)", s.N, s.Of, 100*s.Low, 100*s.Hi)
}
