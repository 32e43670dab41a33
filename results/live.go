package results

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Judge looks at the history of a run so far, and says what it finds.
type Judge func(ctx context.Context, run Run, h fallacy.History) []Finding

// Progress is how a run in progress gets on: the event "progress" of /api/live.
type Progress struct {
	Ops    Counts        `json:"ops"`     // those that are not answered yet count as info
	Time   time.Duration `json:"time_ns"` // of the last op
	Rate   float64       `json:"rate"`    // operations a second since the event before
	Faults []LiveFault   `json:"faults"`  // in force
}

// LiveFault is a fault in force.
type LiveFault struct {
	Name     string        `json:"name"`
	Kind     string        `json:"kind"`
	What     string        `json:"what"`
	Since    time.Duration `json:"since_ns"`
	Verified bool          `json:"verified"`
}

// LiveAnomaly is what was found in the history so far: the event "found". The run
// itself judges when it is over, and its word counts.
type LiveAnomaly struct {
	Checker string `json:"checker"`
	Name    string `json:"name"`
	Meaning string `json:"meaning"`
	Why     string `json:"why"`
}

// Bounds of looking at a run in progress.
const (
	liveEvery  = 500 * time.Millisecond
	judgeEvery = 3 * time.Second
	judgedMax  = 200_000 // ops; of a longer history nothing is found before its end
	liveFound  = 50      // anomalies in one event
)

// tail reads a history that is being written.
type tail struct {
	file    *os.File
	rest    []byte // of a line that is not whole yet
	history fallacy.History
	faults  fallacy.History
	counts  Counts
	last    time.Duration
	parser  fallacy.Parser
}

// read takes in whatever was written since. It tells whether there was anything.
func (t *tail) read() (grown bool, err error) {
	buffer := make([]byte, 256<<10)
	for {
		n, err := t.file.Read(buffer)
		grown = grown || n > 0
		t.rest = append(t.rest, buffer[:n]...)
		for {
			line, rest, whole := bytes.Cut(t.rest, []byte{'\n'})
			if !whole {
				break
			}
			if t.rest = rest; len(bytes.TrimSpace(line)) > 0 {
				if err := t.add(line); err != nil {
					return grown, err
				}
			}
		}
		if len(t.rest) > lineMax {
			return grown, fmt.Errorf("a line is longer than %d bytes", lineMax)
		}
		if errors.Is(err, io.EOF) || n == 0 {
			t.rest = bytes.Clone(t.rest)
			return grown, nil
		}
		if err != nil {
			return grown, err
		}
	}
}

func (t *tail) add(line []byte) error {
	op, err := t.parser.Op(line)
	if err != nil {
		return err
	}
	t.last = op.Time
	if len(t.history) <= judgedMax {
		t.history = append(t.history, op)
	}
	switch {
	case !op.IsClient():
		t.faults = append(t.faults, op)
	case op.Type == fallacy.Invoke:
		t.counts.Invoked++
	case op.Type == fallacy.OK:
		t.counts.OK++
	case op.Type == fallacy.Fail:
		t.counts.Fail++
	}
	t.counts.Info = t.counts.Invoked - t.counts.OK - t.counts.Fail
	return nil
}

func (t *tail) progress() Progress {
	p := Progress{Ops: t.counts, Time: t.last, Faults: []LiveFault{}}
	for _, e := range episodesOf(t.faults, t.last) {
		if e.Healed == "" {
			p.Faults = append(p.Faults, LiveFault{e.Name(), e.Kind, printable(e.What), e.From, e.Verified()})
		}
	}
	return p
}

// apiLive sends what becomes of a run as server-sent events until it is over.
func (s *server) apiLive(w http.ResponseWriter, r *http.Request, root *os.Root) {
	at, run, err := loadAt(root, r.FormValue("path"))
	if err != nil {
		refuse(w, http.StatusNotFound, err.Error())
		return
	}
	f, err := root.Open(path.Join(at, historyFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		refuse(w, http.StatusNotFound, errNoRun.Error())
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	e := events{w, http.NewResponseController(w)}
	if err == nil {
		defer f.Close()
		err = s.follow(r.Context(), root, at, run, &tail{file: f}, e)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) { // it is over
		if _, run, err = loadAt(root, at); err == nil {
			_ = e.send("done", summaryOf(run))
		}
	}
}

// follow reports on a run until it is over, or the reader goes away.
func (s *server) follow(ctx context.Context, root *os.Root, at string, run Run, t *tail, e events) error {
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	var before *Progress
	sent, judged, fresh := time.Now(), time.Time{}, false // fresh: there is what nobody has judged
	for {
		grown, err := t.read()
		if err != nil {
			return err
		}
		now := time.Now()
		p := t.progress()
		if before == nil { // the run did not begin when somebody began to look
			p.Rate = float64(p.Ops.Invoked) / max(p.Time, liveEvery).Seconds()
		} else {
			p.Rate = float64(p.Ops.Invoked-before.Ops.Invoked) / max(now.Sub(sent), liveEvery).Seconds()
		}
		if err := e.send("progress", p); err != nil {
			return err
		}
		before, sent, fresh = &p, now, fresh || grown
		if s.judge != nil && fresh && now.Sub(judged) > judgeEvery && len(t.history) <= judgedMax {
			if err := e.send("found", s.found(ctx, run, t.history)); err != nil {
				return err
			}
			judged, fresh = time.Now(), false
		}
		if _, err := root.Lstat(path.Join(at, packedFile)); err == nil && !grown {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// found lets the run's checkers look at the history so far.
func (s *server) found(ctx context.Context, run Run, h fallacy.History) []LiveAnomaly {
	ctx, cancel := context.WithTimeout(ctx, judgeEvery)
	defer cancel()
	all := []LiveAnomaly{}
	for _, f := range s.judge(ctx, run, h[:len(h):len(h)]) {
		for _, a := range varied(f.Anomalies) {
			if len(all) < liveFound {
				all = append(all, LiveAnomaly{f.Checker, printable(a.Name), meaningOf(f.Checker, a), shorten(printable(a.Why), 1000)})
			}
		}
	}
	return all
}

// events is a stream of server-sent events.
type events struct {
	w     io.Writer
	flush *http.ResponseController
}

func (e events) send(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", name, text); err != nil {
		return err
	}
	return e.flush.Flush()
}
