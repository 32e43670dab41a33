package agent

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent/proc"
)

// TestSamplesAreBounded takes samples of nothing for ten days.
func TestSamplesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 64
		s := newSampler(proc.New(proc.Spec{}), time.Second, most)
		time.Sleep(10 * 24 * time.Hour)
		got := s.samples(time.Now())
		s.end()
		if n := len(got.All); n <= most/2 || n > most {
			t.Fatalf("kept %d samples, want %d to %d", n, most/2, most)
		}
		for i, sample := range got.All {
			if sample.PID != 0 {
				t.Errorf("sample %d is of process %d, and none ran", i, sample.PID)
			}
			if i > 0 && got.All[i-1].Ago-sample.Ago != got.Every {
				t.Errorf("sample %d was taken %v before the next, want %v", i-1, got.All[i-1].Ago-sample.Ago, got.Every)
			}
		}
		if first := got.All[0].Ago; first != 10*24*time.Hour {
			t.Errorf("the first sample is from %v ago, want ten days", first)
		}
	})
}

// TestSamplesSurviveAKill kills the process and starts it again: there must be
// samples of the first, of none, and of the second.
func TestSamplesSurviveAKill(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("what a process uses is known on Linux only")
	}
	target := proc.New(proc.Spec{Argv: []string{"/bin/sh", "-c", "while :; do sleep 0.01; done"}, Env: os.Environ(), Output: filepath.Join(t.TempDir(), "out")})
	defer func() { _ = target.Set(context.Background(), fallacy.Killed) }()
	s := newSampler(target, time.Millisecond, samplesMax)
	defer s.end()
	awaitSample := func(ok func(Sample) bool) {
		t.Helper()
		deadline := time.NewTimer(10 * time.Second)
		defer deadline.Stop()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			if all := s.samples(time.Now()).All; len(all) > 0 && ok(all[len(all)-1]) {
				return
			}
			select {
			case <-tick.C:
			case <-deadline.C:
				t.Fatalf("no such sample came: %+v", s.samples(time.Now()).Trouble)
			}
		}
	}
	for _, state := range []fallacy.ProcessState{fallacy.Running, fallacy.Killed, fallacy.Running, fallacy.Paused} {
		if err := target.Set(t.Context(), state); err != nil {
			t.Fatal(err)
		}
		pid := target.Status().PID
		// One that is about to become the program has no memory for a moment.
		awaitSample(func(s Sample) bool { return s.PID == pid && (s.Usage.Memory > 0) == (pid != 0) })
	}
	if trouble := s.samples(time.Now()).Trouble; trouble != "" {
		t.Error(trouble)
	}
}

// BenchmarkSample says what a look costs: it is taken once a second.
func BenchmarkSample(b *testing.B) {
	for b.Loop() {
		if _, err := proc.UsageOf(os.Getpid()); err != nil {
			b.Skip(err)
		}
	}
}
