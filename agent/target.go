package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent/proc"
)

// Start writes the target's files and starts it. From then on it is looked what it uses.
func (a *Agent) Start(ctx context.Context, p fallacy.Process) (Started, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.target != nil {
		return Started{}, errors.New("the target was started before")
	}
	spec, err := a.furnish(p)
	if err != nil {
		return Started{}, err
	}
	a.target = proc.New(spec)
	a.state.Process = fallacy.Running
	err = a.target.Set(ctx, fallacy.Running)
	a.samples = newSampler(a.target, sampleEvery, samplesMax)
	return started(spec), err
}

// Replace ends the target, empties its data directory, and has p run from now on, in
// the state that was asked for last.
func (a *Agent) Replace(ctx context.Context, p fallacy.Process) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.target == nil {
		return errors.New("there is no target to be replaced")
	}
	if err := a.target.Set(ctx, fallacy.Killed); err != nil {
		return err
	}
	if err := a.empty(); err != nil {
		return errors.Join(fmt.Errorf("empty the target's data directory: %w", err), a.target.Set(ctx, a.state.Process))
	}
	spec, err := a.furnish(p)
	if err != nil {
		return err
	}
	if err := a.target.Become(spec); err != nil {
		return err
	}
	return a.target.Set(ctx, a.state.Process)
}

// furnish says how p is to be run, and writes what it is to find.
func (a *Agent) furnish(p fallacy.Process) (proc.Spec, error) {
	spec, err := a.spec(p)
	if err != nil {
		return spec, err
	}
	for name, content := range p.Files {
		if err := a.write(name, content); err != nil {
			return spec, err
		}
	}
	if err := a.own(spec.User); err != nil {
		return spec, fmt.Errorf("give the target its data directory: %w", err)
	}
	if a.clock != nil {
		spec.Start = a.clock.Start
	}
	a.logs = p.Logs
	return spec, nil
}

// empty removes what is in the data directory, and not the directory, which may be
// somebody's working directory or a mount.
func (a *Agent) empty() error {
	entries, err := os.ReadDir(a.dataDir())
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(a.dataDir(), e.Name())))
	}
	return errors.Join(errs...)
}

func (a *Agent) write(name, content string) error {
	if !filepath.IsLocal(name) {
		return fmt.Errorf("the target's file %q is not inside its data directory", name)
	}
	path := filepath.Join(a.dataDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o644)
}
