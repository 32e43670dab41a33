package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Spec says what to supervise.
type Spec struct {
	Argv   []string
	Env    []string              // the whole environment, as KEY=value
	Dir    string                // working directory
	Output string                // file that stdout and stderr are appended to
	User   *syscall.Credential   // who it runs as; nil: who the agent is
	Start  func(*exec.Cmd) error // starts the process; nil: cmd.Start
}

// Exit is an end of the process that nobody had asked for.
type Exit struct {
	PID    int       `json:"pid"`
	At     time.Time `json:"at"`
	Status string    `json:"status"` // "exit status 2", "signal: segmentation fault"
}

// Status is what became of the process.
type Status struct {
	PID    int    `json:"pid"`    // of the process that runs now; 0: none
	Starts int    `json:"starts"` // how often it was started
	Exits  []Exit `json:"exits"`  // ends that nobody had asked for
	Error  string `json:"error"`  // why the last start did not work
}

// Restarts after an end that nobody asked for wait longer each time.
const (
	restartAfter    = 100 * time.Millisecond
	restartAfterMax = 5 * time.Second
	// terminateFor is how long the process gets to end after SIGTERM before it is
	// killed: other faults wait for it, and one that leads and is cut off may take its time.
	terminateFor = 4 * time.Second
	// signalPatience is how long a process may take to stop or to go on.
	signalPatience = 5 * time.Second
	// verifyPatience is how long what a process is may differ from what it was told.
	verifyPatience = 500 * time.Millisecond
)

// Supervisor keeps one process in the state that Set asks for. It starts as if
// killed: nothing runs.
type Supervisor struct {
	spec Spec

	mu      sync.Mutex
	want    fallacy.ProcessState
	cmd     *exec.Cmd     // the process that runs; nil: none
	ended   chan struct{} // closed when cmd has ended
	status  Status
	backoff time.Duration
	again   *time.Timer
}

// New returns a supervisor of what spec says.
func New(spec Spec) *Supervisor {
	if spec.Start == nil {
		spec.Start = (*exec.Cmd).Start
	}
	return &Supervisor{spec: spec, want: fallacy.Killed, backoff: restartAfter}
}

// Status returns what became of the process so far.
func (s *Supervisor) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	status.Exits = append([]Exit(nil), s.status.Exits...)
	return status
}

// Become has the supervisor run something else from the next start on. What was run
// so far must have been killed or terminated.
func (s *Supervisor) Become(spec Spec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil || s.want == fallacy.Running || s.want == fallacy.Paused {
		return fmt.Errorf("process %d is to be replaced and has not been ended", s.status.PID)
	}
	if spec.Start == nil {
		spec.Start = (*exec.Cmd).Start
	}
	s.spec, s.backoff = spec, restartAfter
	return nil
}

// Set brings the process into the state want and returns when it is there, or
// with an error that says what it hangs on. Setting what is already so does nothing.
func (s *Supervisor) Set(ctx context.Context, want fallacy.ProcessState) error {
	s.mu.Lock()
	s.want = want
	cmd, ended := s.cmd, s.ended
	if s.again != nil {
		s.again.Stop()
	}
	if want == fallacy.Running || want == fallacy.Paused {
		defer s.mu.Unlock()
		return s.up(ctx, want)
	}
	s.mu.Unlock()
	if cmd == nil {
		return nil
	}
	return s.down(ctx, cmd, ended, want)
}

// up starts the process if there is none, and lets it run or stops it.
func (s *Supervisor) up(ctx context.Context, want fallacy.ProcessState) error {
	if s.cmd == nil {
		if err := s.start(); err != nil {
			return err
		}
	}
	sig := syscall.SIGCONT
	if want == fallacy.Paused {
		sig = syscall.SIGSTOP
	}
	switch err := signalGroup(s.cmd.Process.Pid, sig); {
	case errors.Is(err, syscall.ESRCH):
		return nil // a process that ended is the reaper's business
	case err != nil:
		return fmt.Errorf("send %v to process %d: %w", sig, s.cmd.Process.Pid, err)
	}
	return awaitStopped(ctx, s.cmd.Process.Pid, want == fallacy.Paused)
}

// awaitStopped waits until the process table says of pid what it should, as
// signals take their time.
func awaitStopped(ctx context.Context, pid int, want bool) error {
	ctx, cancel := context.WithTimeout(ctx, signalPatience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		got, err := stopped(pid)
		if err != nil || got == want {
			return nil // a process that ended is the reaper's business
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("process %d: stopped is %v, want %v: %w", pid, got, want, ctx.Err())
		}
	}
}

func (s *Supervisor) start() error {
	out, err := os.OpenFile(s.spec.Output, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open the process's output: %w", err)
	}
	defer out.Close()
	cmd := exec.Command(s.spec.Argv[0], s.spec.Argv[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = s.spec.Env, s.spec.Dir, out, out
	cmd.SysProcAttr = groupOfItsOwn()
	cmd.SysProcAttr.Credential = s.spec.User
	if err := s.spec.Start(cmd); err != nil {
		s.status.Error = err.Error()
		return fmt.Errorf("start %s: %w", s.spec.Argv[0], err)
	}
	s.status.Error = ""
	s.status.Starts++
	s.status.PID = cmd.Process.Pid
	s.cmd, s.ended = cmd, make(chan struct{})
	go s.reap(cmd, s.ended)
	return nil
}

// reap waits for the end of cmd and starts it again if nobody had asked for it.
func (s *Supervisor) reap(cmd *exec.Cmd, ended chan struct{}) {
	awaitEnd(cmd.Process.Pid)
	err := cmd.Wait()
	// What the process left behind in its group would hold ports and locks.
	_ = signalGroup(cmd.Process.Pid, syscall.SIGKILL)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd, s.status.PID = nil, 0
	close(ended)
	if s.want == fallacy.Killed || s.want == fallacy.Terminated {
		s.backoff = restartAfter
		return
	}
	status := "exit status 0"
	if err != nil {
		status = err.Error()
	}
	s.status.Exits = append(s.status.Exits, Exit{PID: cmd.Process.Pid, At: time.Now(), Status: status})
	s.later()
}

// later starts the process again after a while.
func (s *Supervisor) later() {
	wait := s.backoff
	s.backoff = min(2*s.backoff, restartAfterMax)
	s.again = time.AfterFunc(wait, func() {
		ctx, cancel := context.WithTimeout(context.Background(), restartAfterMax)
		defer cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.cmd != nil || s.want == fallacy.Killed || s.want == fallacy.Terminated {
			return
		}
		if err := s.up(ctx, s.want); err != nil {
			s.later()
		}
	})
}

// down ends the process, waits until it is gone, and leaves it so.
func (s *Supervisor) down(ctx context.Context, cmd *exec.Cmd, ended chan struct{}, how fallacy.ProcessState) error {
	pid := cmd.Process.Pid
	if how == fallacy.Terminated {
		// One that is paused hears nothing until it goes on.
		_ = signalGroup(pid, syscall.SIGTERM)
		_ = signalGroup(pid, syscall.SIGCONT)
		patience := time.NewTimer(terminateFor)
		defer patience.Stop()
		select {
		case <-ended:
			return nil
		case <-patience.C:
		case <-ctx.Done():
		}
	}
	_ = signalGroup(pid, syscall.SIGKILL)
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("kill process %d: it does not go: %w", pid, ctx.Err())
	}
}

// Verify looks up in the process table whether the process is as Set asked for.
func (s *Supervisor) Verify() error {
	s.mu.Lock()
	want, pid, failed := s.want, s.status.PID, s.status.Error
	s.mu.Unlock()
	if want == fallacy.Killed || want == fallacy.Terminated {
		if pid != 0 {
			return fmt.Errorf("process %d is there, want none", pid)
		}
		return nil
	}
	if pid == 0 {
		if failed != "" {
			return fmt.Errorf("no process: %s", failed)
		}
		return fmt.Errorf("no process: it ended by itself")
	}
	if _, err := stopped(pid); err != nil {
		return err
	}
	// One that was waiting in the kernel when it was told to stop does so as it comes out.
	ctx, cancel := context.WithTimeout(context.Background(), verifyPatience)
	defer cancel()
	if err := awaitStopped(ctx, pid, want == fallacy.Paused); err != nil {
		return fmt.Errorf("process %d is stopped: %v, want %s", pid, want != fallacy.Paused, want)
	}
	return nil
}
