package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent/clock"
)

// clockPatience is how long a report waits for the target to read its clock.
const clockPatience = 2 * time.Second

// Report tells how the node is.
func (a *Agent) Report(look Look) (Report, error) {
	a.mu.Lock()
	target, state, probes, tripped := a.target, a.state, a.probes, a.tripped
	a.mu.Unlock()
	if probes == nil {
		return Report{}, errors.New("the agent was not greeted")
	}
	r := Report{Tripped: tripped, Heard: probes.hearsay()}
	r.Echoed, r.RTT = probes.Echoes()
	r.Tallies, _ = probes.Tallies()
	if target == nil {
		return r, nil
	}
	r.Process = target.Status()
	if look.Process {
		r.ProcessErr = text(target.Verify())
	}
	if look.Clock && state.Process == fallacy.Running {
		r.ClockErr = text(a.verifyClock(&r, state.Clock))
	}
	return r, nil
}

func (a *Agent) verifyClock(r *Report, skew fallacy.Skew) error {
	if a.clock == nil {
		return a.noClock
	}
	ctx, cancel := context.WithTimeout(context.Background(), clockPatience)
	defer cancel()
	err := a.clock.Verify(ctx)
	switch {
	case errors.Is(err, clock.ErrUnread) && skew == (fallacy.Skew{}):
		// A process that does not look at its clock, as one does that is idle, is not
		// wrong about the time either.
		return nil
	case err != nil:
		return err
	}
	var reading clock.Reading
	reading, err = a.clock.Read()
	r.Skew = reading.Skew
	return err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Logs lists the node's logs: the target's output, and the files it names,
// which are found below "data".
func (a *Agent) Logs() ([]File, error) {
	a.mu.Lock()
	logs := a.logs
	a.mu.Unlock()
	var files []File
	add := func(name string) {
		if info, err := os.Stat(filepath.Join(a.opts.Dir, name)); err == nil && info.Mode().IsRegular() {
			files = append(files, File{Name: filepath.ToSlash(name), Size: info.Size()})
		}
	}
	add(filepath.Join("logs", "output.log"))
	for _, name := range logs {
		if filepath.IsLocal(name) {
			add(filepath.Join("data", name))
		}
	}
	return files, nil
}

// Read returns a part of a log; an empty one is the end.
func (a *Agent) Read(c Chunk) ([]byte, error) {
	root, err := os.OpenRoot(a.opts.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(c.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, &fs.PathError{Op: "read", Path: c.Name, Err: errors.New("not a file")})
	}
	buf := make([]byte, min(max(c.Max, 0), 1<<20))
	n, err := f.ReadAt(buf, c.Offset)
	if n > 0 {
		err = nil
	}
	return buf[:n], ignoreEOF(err)
}
