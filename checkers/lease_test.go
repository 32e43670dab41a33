package checkers_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
)

// lessor is a store with leases in virtual time, and what is wrong with it.
type lessor struct {
	rng  *rand.Rand
	now  time.Duration
	over map[int]time.Duration // by lease: when its key goes; 0: it is gone
	h    fallacy.History

	early   time.Duration // by which keys go before their time
	deaf    bool          // to keepalives, which it acknowledges
	undying bool          // revokes are acknowledged, and nothing ends
	risen   bool          // a keepalive that is too late brings a key back
}

const randomTTL = 2 * time.Second

// call lets do happen at some moment between an invocation and its completion.
func (s *lessor) call(process int, f string, in fallacy.Value, do func() fallacy.Value) {
	op := fallacy.Op{Index: len(s.h), Time: s.now, Process: process, F: f, Value: in}
	s.now += time.Duration(s.rng.Int64N(int64(40 * time.Millisecond)))
	done := op
	done.Index, done.Type, done.Value = op.Index+1, fallacy.OK, do()
	s.now += time.Duration(s.rng.Int64N(int64(40 * time.Millisecond)))
	if f == "keepalive" && s.rng.IntN(8) == 0 {
		done.Type, done.Value = fallacy.Info, in
	}
	done.Time = s.now
	s.h = append(s.h, op, done)
}

// ends is when a lease that begins now is over: on time, or late as after a change
// of leaders.
func (s *lessor) ends() time.Duration {
	late := time.Duration(0)
	if s.rng.IntN(3) == 0 {
		late = time.Duration(s.rng.Int64N(int64(3 * time.Second)))
	}
	return s.now + randomTTL + late - s.early
}

func (s *lessor) alive(lease int) bool { return s.over[lease] > s.now }

func (s *lessor) keepAlive(lease int) fallacy.Value {
	switch {
	case s.alive(lease) && !s.deaf:
		s.over[lease] = max(s.over[lease], s.ends())
	case !s.alive(lease) && !s.risen:
		return fallacy.Ints(lease, 0)
	case !s.alive(lease):
		s.over[lease] = s.ends()
	}
	return fallacy.Ints(lease, int(randomTTL.Milliseconds()))
}

// play makes a history of some leases, a random thing done at random times.
func (s *lessor) play(leases int) fallacy.History {
	s.over = make(map[int]time.Duration)
	for process := 0; len(s.over) < leases || s.rng.IntN(200) > 0; process++ {
		lease := s.rng.IntN(len(s.over) + 1)
		arg := fallacy.Tuple(fallacy.Int(lease), fallacy.Nil())
		switch kind := s.rng.IntN(12); {
		case lease == len(s.over):
			if lease < leases {
				ms := fallacy.Ints(lease, int(randomTTL.Milliseconds()))
				s.call(process, "grant", ms, func() fallacy.Value { s.over[lease] = s.ends(); return ms })
			}
		case kind == 0:
			s.call(process, "revoke", arg, func() fallacy.Value {
				if !s.undying {
					s.over[lease] = 0
				}
				return arg
			})
		case kind < 5:
			s.call(process, "keepalive", arg, func() fallacy.Value { return s.keepAlive(lease) })
		default:
			s.call(process, "read", fallacy.Nil(), func() fallacy.Value {
				there := []int{}
				for n := range s.over {
					if s.alive(n) {
						there = append(there, n)
					}
				}
				slices.Sort(there)
				return fallacy.Ints(there...)
			})
		}
		s.now += time.Duration(s.rng.Int64N(int64(300 * time.Millisecond)))
	}
	return s.h
}

// A store that does what leases promise is never accused, and each of those that do
// not is found out in most histories.
func TestLeaseAgreesWithAStoreOfLeases(t *testing.T) {
	const rounds = 200
	for name, c := range map[string]struct {
		wrong lessor
		shows []string
	}{
		"true":    {lessor{}, nil},
		"early":   {lessor{early: 400 * time.Millisecond}, []string{"early expiry"}},
		"deaf":    {lessor{deaf: true}, []string{"early expiry"}},
		"undying": {lessor{undying: true}, []string{"undead key", "undead lease"}},
		"risen":   {lessor{risen: true}, []string{"resurrected", "undead lease", "undead key", "early expiry"}},
	} {
		found := 0
		for seed := range uint64(rounds) {
			s := c.wrong
			s.rng = rand.New(rand.NewPCG(seed, 1))
			finding, err := checkers.Lease().Check(t.Context(), s.play(6))
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range finding.Anomalies {
				if !slices.Contains(c.shows, a.Name) {
					t.Fatalf("%s, seed %d: %s: %s\n%s", name, seed, a.Name, a.Why, text(s.h))
				}
			}
			if finding.Verdict == fallacy.Invalid {
				found++
			}
		}
		if c.shows != nil && found < rounds/2 {
			t.Errorf("%s: found in %d of %d histories", name, found, rounds)
		}
	}
}
