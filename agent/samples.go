package agent

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/fallacy-dev/fallacy/agent/proc"
)

// Bounds of what is kept of the target's use of resources. When the samples are
// too many every other is dropped, and from then on half as many are taken.
const (
	sampleEvery = time.Second
	samplesMax  = 4096 // even
)

// Sample is what the target's processes used at one time.
type Sample struct {
	Ago   time.Duration // before the samples were asked for
	PID   int           // of the target's first process; 0: none ran
	Usage proc.Usage
}

// Samples is what became known of the target's use of resources.
type Samples struct {
	All     []Sample
	Every   time.Duration // between two of them
	Trouble string        // why there are none, or why one could not be had
}

// sampler looks every now and then what the target uses.
type sampler struct {
	target *proc.Supervisor
	most   int // samples kept
	quit   chan struct{}
	done   sync.WaitGroup

	mu      sync.Mutex
	at      []time.Time
	all     []Sample
	every   time.Duration
	trouble string
}

func newSampler(target *proc.Supervisor, every time.Duration, most int) *sampler {
	s := &sampler{target: target, every: every, most: most, quit: make(chan struct{})}
	s.done.Go(s.run)
	return s
}

func (s *sampler) run() {
	every := s.take(time.Now())
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.quit:
			return
		}
		if now := s.take(time.Now()); now != every {
			every = now
			tick.Reset(every)
		}
	}
}

// take takes a sample, and returns when the next is due. That the process ends
// meanwhile is no trouble: then none runs.
func (s *sampler) take(now time.Time) (every time.Duration) {
	sample := Sample{PID: s.target.Status().PID}
	var err error
	if sample.PID != 0 {
		if sample.Usage, err = proc.UsageOf(sample.PID); ended(err) {
			sample.PID, err = 0, nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.trouble = err.Error()
		return s.every
	}
	s.at, s.all = append(s.at, now), append(s.all, sample)
	if len(s.all) <= s.most {
		return s.every
	}
	half := (len(s.all) + 1) / 2 // of an odd number, so that this one stays and the next is as far away as the others
	for i := range half {
		s.at[i], s.all[i] = s.at[2*i], s.all[2*i]
	}
	s.at, s.all, s.every = s.at[:half], s.all[:half], 2*s.every
	return s.every
}

// ended tells whether an error says that a process is no more, though nobody may
// have waited for it yet.
func ended(err error) bool {
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// samples returns what was seen so far.
func (s *sampler) samples(now time.Time) Samples {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Samples{All: make([]Sample, len(s.all)), Every: s.every, Trouble: s.trouble}
	for i, sample := range s.all {
		sample.Ago = now.Sub(s.at[i])
		out.All[i] = sample
	}
	return out
}

func (s *sampler) end() {
	close(s.quit)
	s.done.Wait()
}

// Samples tells what the target used so far.
func (a *Agent) Samples() Samples {
	a.mu.Lock()
	s := a.samples
	a.mu.Unlock()
	if s == nil {
		return Samples{Trouble: "the target was never started"}
	}
	s.take(time.Now()) // so that they reach to the end
	return s.samples(time.Now())
}
