// Package local runs a cluster on this machine: an agent per node, each a child
// process with a directory of its own. It needs no root and no configuration.
//
// A cluster lives in a workspace below the system's directory for temporary
// files. The workspace names its controller, so that [Leftovers] finds those
// whose controller is gone.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Dialer starts agents as children of this process. It is a remote.Dialer.
type Dialer struct {
	argv []string
	dir  string // the workspace

	mu     sync.Mutex
	agents []*exec.Cmd
}

// prefix of a workspace's name; the controller's process ID follows.
const prefix = "fallacy-local-"

// New returns a dialer whose agents are run by argv followed by --dir and the
// node's directory.
func New(argv ...string) (*Dialer, error) {
	dir, err := os.MkdirTemp("", prefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return nil, fmt.Errorf("make a workspace: %w", err)
	}
	return &Dialer{argv: argv, dir: dir}, nil
}

// Provide makes the program at path the target's own on every node, in place of
// the one that PATH has.
func (d *Dialer) Provide(path string, target fallacy.Image) error {
	if len(target.Programs) == 0 {
		return fmt.Errorf("--binary %s: the target is part of fallacy's own binary and takes no other", path)
	}
	program, err := exec.LookPath(path)
	if err == nil {
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return fmt.Errorf("--binary %s: %w", path, err)
	}
	bin := filepath.Join(d.dir, binDir)
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	d.argv = append(slices.Clip(d.argv), "--bin", bin)
	return os.Symlink(program, filepath.Join(bin, target.Programs[0]))
}

// binDir is a directory in the workspace that has no node's name.
const binDir = ".bin"

// stream is an agent's standard input and output.
type stream struct {
	io.Reader
	io.WriteCloser
}

// Dial starts the agent of node. Its complaints go to agent.log in its directory.
func (d *Dialer) Dial(_ context.Context, node string) (io.ReadWriteCloser, error) {
	dir := filepath.Join(d.dir, node)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "agent.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(d.argv[0], append(append([]string(nil), d.argv[1:]...), "--dir", dir)...)
	cmd.Stderr = log
	// In a process group of its own, a Ctrl-C at the terminal does not reach it:
	// the controller has to end it in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.agents = append(d.agents, cmd)
	pid := filepath.Join(dir, "agent.pid")
	return stream{out, in}, os.WriteFile(pid, []byte(strconv.Itoa(cmd.Process.Pid)), 0o644)
}

// endPatience is how long an agent gets to heal and end.
const endPatience = 15 * time.Second

// Close waits until all agents have ended, and removes the workspace.
func (d *Dialer) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	errs := make([]error, len(d.agents))
	var all sync.WaitGroup
	for i, cmd := range d.agents {
		all.Go(func() { errs[i] = await(cmd) })
	}
	all.Wait()
	d.agents = nil
	return errors.Join(append(errs, os.RemoveAll(d.dir))...)
}

func await(cmd *exec.Cmd) error {
	kill := time.AfterFunc(endPatience, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("the agent in %s: %w", filepath.Dir(cmd.Args[len(cmd.Args)-1]), err)
	}
	return nil
}
