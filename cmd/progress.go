package cmd

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
	"golang.org/x/term"
)

// progress tells people how a run goes: a live line on a terminal, plain lines
// elsewhere. A nil progress tells nobody.
type progress struct {
	w    io.Writer
	live bool

	mu     sync.Mutex
	counts [4]int // by fallacy.Type
	before int    // completions at the last tick
	forces []string
	length time.Duration
	now    time.Duration // the time of the last op
	width  int           // of the live line that stands there
	ticker *time.Ticker
	ended  chan struct{}
}

// How often progress is told.
const (
	liveEvery  = 200 * time.Millisecond
	plainEvery = 5 * time.Second
)

func newProgress(w io.Writer) *progress {
	f, isFile := w.(*os.File)
	return &progress{w: w, live: isFile && term.IsTerminal(int(f.Fd()))}
}

// say prints a line.
func (p *progress) say(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	fmt.Fprintf(p.w, format+"\n", args...)
}

// erase takes the live line away.
func (p *progress) erase() {
	if p.width > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width))
		p.width = 0
	}
}

// start begins to tell of a run of a length.
func (p *progress) start(length time.Duration) {
	if p == nil {
		return
	}
	every := plainEvery
	if p.live {
		every = liveEvery
	}
	ticker, ended := time.NewTicker(every), make(chan struct{})
	p.length, p.ticker, p.ended = length, ticker, ended
	go func() {
		for {
			select {
			case <-ticker.C:
				p.tick(every)
			case <-ended:
				return
			}
		}
	}()
}

func (p *progress) stop() {
	if p == nil || p.ended == nil {
		return
	}
	p.ticker.Stop()
	close(p.ended)
	p.ended = nil
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}

// note takes in ops as they are recorded.
func (p *progress) note(ops []fallacy.Op) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, op := range ops {
		p.now = op.Time
		if op.IsClient() {
			p.counts[op.Type]++
		} else if op.Type == fallacy.Info {
			p.fault(op)
		}
	}
}

// fault notes that a fault came or went.
func (p *progress) fault(op fallacy.Op) {
	p.forces = slices.DeleteFunc(p.forces, func(n string) bool { return n == op.Nemesis })
	if op.F == "inject" && op.Error == "" {
		p.forces = append(p.forces, op.Nemesis)
	}
	if op.Error != "" {
		p.erase()
		fmt.Fprintf(p.w, "%s: %s\n", op.Nemesis, op.Error)
	}
}

func (p *progress) tick(every time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done := p.counts[fallacy.OK] + p.counts[fallacy.Fail] + p.counts[fallacy.Info]
	left := "after the faults"
	if p.now < p.length {
		left = fmt.Sprintf("%v left", (p.length - p.now).Round(time.Second))
	}
	forces := "no faults in force"
	if len(p.forces) > 0 {
		forces = strings.Join(p.forces, ", ")
	}
	line := fmt.Sprintf("%s · %.0f ops/s · %d ok, %d fail, %d info · %s", left,
		float64(done-p.before)/every.Seconds(), p.counts[fallacy.OK], p.counts[fallacy.Fail], p.counts[fallacy.Info], forces)
	p.before = done
	if !p.live {
		fmt.Fprintln(p.w, line)
		return
	}
	p.erase()
	if f, ok := p.w.(*os.File); ok { // a line that wraps could not be taken away again
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 1 && len([]rune(line)) >= width {
			line = string([]rune(line)[:width-1])
		}
	}
	fmt.Fprint(p.w, line)
	p.width = len([]rune(line))
}
