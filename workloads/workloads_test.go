package workloads_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
	"github.com/fallacy-dev/fallacy/workloads"
)

// store is every object in memory, for one goroutine; wrong makes it misbehave.
type store struct {
	registers map[string]int
	lists     map[string][]int
	set       []int
	count     int
	queue     []int
	owner     string
	token     int
	guarded   int
	keeper    string
	changes   []fallacy.Value
	streams   map[string][][2]int
	versions  map[string][2]int // version and value
	last      int               // version given
	leases    map[int]leased
	now       time.Duration
	wrong     bool
	calls     int
}

func newStore(wrong bool) *store {
	return &store{registers: map[string]int{}, lists: map[string][]int{}, streams: map[string][][2]int{}, leases: map[int]leased{},
		versions: map[string][2]int{}, wrong: wrong}
}

// slips tells, once in a while, that this call is to go wrong.
func (s *store) slips() bool {
	s.calls++
	return s.wrong && s.calls%7 == 0
}

func (s *store) Close() error { return nil }

func (s *store) Read(_ context.Context, key string) (int, bool, error) {
	v, ok := s.registers[key]
	return v, ok, nil
}

func (s *store) Write(_ context.Context, key string, value int) error {
	if !s.slips() {
		s.registers[key] = value
	}
	return nil
}

func (s *store) CompareAndSet(_ context.Context, key string, from, to int) (fallacy.Value, error) {
	if seen, ok := s.registers[key]; !ok || seen != from {
		return fallacy.Int(seen), fmt.Errorf("refused: %w", fallacy.ErrFailed)
	}
	s.registers[key] = to
	return fallacy.Nil(), nil
}

func (s *store) Add(_ context.Context, element int) error {
	if !s.slips() {
		s.set = append(s.set, element)
	}
	return nil
}

func (s *store) Elements(context.Context) ([]int, error) { return append([]int(nil), s.set...), nil }

func (s *store) Increment(_ context.Context, delta int) error {
	s.count += delta
	if s.slips() {
		s.count += delta
	}
	return nil
}

func (s *store) Count(context.Context) (int, error) { return s.count, nil }

func (s *store) Enqueue(_ context.Context, element int) error {
	if !s.slips() {
		s.queue = append(s.queue, element)
	}
	return nil
}

func (s *store) Dequeue(context.Context) (int, bool, error) {
	if len(s.queue) == 0 {
		return 0, false, nil
	}
	first := s.queue[0]
	s.queue = s.queue[1:]
	return first, true, nil
}

func (s *store) Acquire(_ context.Context, owner string) (int, error) {
	// Leases are short here: whoever comes gets the lock.
	s.owner = owner
	if !s.slips() {
		s.token++
	}
	return s.token, nil
}

func (s *store) Release(_ context.Context, owner string, token int) error {
	if owner != s.owner || token != s.token {
		return fmt.Errorf("not held: %w", fallacy.ErrFailed)
	}
	return nil
}

func (s *store) Guard(_ context.Context, token, value int) error {
	if token < s.token && !s.wrong {
		return fmt.Errorf("stale token: %w", fallacy.ErrFailed)
	}
	s.guarded = value
	return nil
}

func (s *store) Txn(_ context.Context, ops []fallacy.MicroOp) ([]fallacy.MicroOp, error) {
	done := append([]fallacy.MicroOp(nil), ops...)
	for i, op := range done {
		key, _ := op.Key.Str()
		switch op.F {
		case "append":
			if n, _ := op.Value.Int(); !s.slips() {
				s.lists[key] = append(s.lists[key], n)
			}
		case "w":
			if n, _ := op.Value.Int(); !s.slips() {
				s.registers[key] = n
			}
		case "r":
			if v, ok := s.registers[key]; ok {
				done[i].Value = fallacy.Int(v)
				break
			}
			if list, ok := s.lists[key]; ok {
				done[i].Value = fallacy.Ints(append([]int(nil), list...)...)
			}
		}
	}
	return done, nil
}

func (s *store) Send(_ context.Context, stream string, value int) (int, error) {
	offset := len(s.streams[stream]) + 1
	if s.slips() {
		value = 0 // which nobody sent
	}
	s.streams[stream] = append(s.streams[stream], [2]int{offset, value})
	return offset, nil
}

func (s *store) Records(_ context.Context, stream string, after int) ([][2]int, error) {
	rest := s.streams[stream][after:]
	return rest[:min(len(rest), 7)], nil
}

func (s *store) ReadVersion(_ context.Context, key string) (version, value int, err error) {
	return s.versions[key][0], s.versions[key][1], nil
}

func (s *store) WriteVersion(_ context.Context, key string, value int) (version int, err error) {
	s.last++
	if !s.slips() {
		s.versions[key] = [2]int{s.last, value}
	}
	return s.last, nil
}

func (s *store) SwapVersion(ctx context.Context, key string, old, value int) (version int, seen fallacy.Value, err error) {
	if is := s.versions[key]; is[0] != old {
		return 0, fallacy.Ints(is[:]...), fmt.Errorf("refused: %w", fallacy.ErrFailed)
	}
	version, err = s.WriteVersion(ctx, key, value)
	return version, fallacy.Nil(), err
}

func all() []*fallacy.Workload {
	return []*fallacy.Workload{
		workloads.Register(), workloads.Set(), workloads.Counter(), workloads.Queue(), workloads.Lock(), workloads.Append(), workloads.RWRegister(),
		workloads.Mutex(), workloads.Watch(), workloads.Stream(), workloads.Lease(),
		workloads.VersionedRegister(),
	}
}

// play simulates a workload against a store in memory: each op takes effect when
// it is invoked.
func play(t *testing.T, w *fallacy.Workload, s *store, seed uint64) fallacy.History {
	t.Helper()
	clients := make(map[int]fallacy.Client)
	gen := generator.Limit(3000, w.Generator)
	if w.Final != nil {
		gen = generator.Phases(gen, w.Final)
	}
	h := generator.Simulate(gen, generator.World{
		Workers: 10, Seed: seed, MaxOps: 8000,
		Answer: func(_ fallacy.Chance, op fallacy.Op) fallacy.Op {
			client := clients[op.Process]
			if client == nil {
				var err error
				if client, err = w.Client(&conn{store: s}); err != nil {
					t.Fatal(err)
				}
				clients[op.Process] = client
			}
			s.now = op.Time
			value, err := client.Invoke(t.Context(), op)
			switch {
			case err == nil:
				op.Type, op.Value = fallacy.OK, value
			case errors.Is(err, fallacy.ErrFailed):
				op.Type, op.Error = fallacy.Fail, err.Error()
				if !value.IsNil() {
					op.Value = value
				}
			default:
				op.Type, op.Error = fallacy.Info, err.Error()
			}
			return op
		},
	})
	if err := h.Validate(); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestWorkloads(t *testing.T) {
	for _, w := range all() {
		for _, wrong := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/wrong=%v", w.Name, wrong), func(t *testing.T) {
				var h fallacy.History
				synctest.Test(t, func(t *testing.T) { h = play(t, w, newStore(wrong), 1) }) // in which waiting takes no time
				judgements := checkers.Judge(t.Context(), h, append(w.Checkers, checkers.Coverage(nil)), checkers.Options{})
				got, want := checkers.Overall(judgements), fallacy.Valid
				if wrong {
					want = fallacy.Invalid
				}
				if got != want {
					t.Errorf("%d ops: got %v, want %v: %+v", len(h), got, want, judgements)
				}
			})
		}
	}
}

func TestClientsNameWhatIsMissing(t *testing.T) {
	for _, w := range all() {
		_, err := w.Client(nothing{})
		if err == nil || !strings.Contains(err.Error(), "has no ") {
			t.Errorf("%s: got %v, want the methods that are missing", w.Name, err)
		}
	}
}

type nothing struct{}

func (nothing) Close() error { return nil }

func TestMalformedOpsDoNotHappen(t *testing.T) {
	for _, w := range all() {
		client, err := w.Client(&conn{store: newStore(false)})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []string{"read", "write", "cas", "add", "enqueue", "acquire", "release", "guard", "txn", "use", "watch", "send", "poll", "grant", "keepalive", "revoke", "dance"} {
			for _, v := range []fallacy.Value{fallacy.Bool(true), fallacy.Ints(1), fallacy.Tuple(fallacy.String("k"), fallacy.Bool(true))} {
				if _, err := client.Invoke(t.Context(), fallacy.Op{F: f, Value: v}); err != nil && !errors.Is(err, fallacy.ErrFailed) {
					t.Errorf("%s: %s of %v: %v is not marked as not having happened", w.Name, f, v, err)
				}
			}
		}
	}
}
