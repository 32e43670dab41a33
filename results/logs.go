package results

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Bounds of what the page shows of logs; the files have all of it.
const (
	logFilesMax = 100
	logTotalMax = 384 << 10
	logEachMax  = 96 << 10
	logReadMax  = 24 << 20 // of all, and of each its end
	logLineMax  = 400
)

// Levels of a line.
const (
	levelPlain = iota
	levelWarning
	levelDeath // of a process
)

// logFile is a file that a node's process wrote.
type logFile struct {
	Node, Name string
	Size       int
	Lines      int    // in all
	Text       string // of a file that does not tell the time: its end
	Cut        bool   // there is more before Text
	Trouble    string

	lines []logLine
	leads []leads
}

// logLine is a line of a log on the run's axis.
type logLine struct {
	at    time.Duration
	level int
	left  int // how many lines before it the page leaves out
	text  string
}

// Shown is how many of its lines the page has.
func (f *logFile) Shown() int { return len(f.lines) }

// Stamped tells whether its lines say when they were written.
func (f *logFile) Stamped() bool { return len(f.lines) > 0 }

// logs reads what nodes' processes wrote.
type logs struct {
	epoch    time.Time
	episodes []*episode
	stories  []*story
	end      time.Duration

	most  int // bytes of one file that the page shows
	bytes int // of one file that are read
}

// read returns all files, by node. Logs are looked at, not relied on: what
// cannot be read is said in place of the text.
func (l *logs) read(from fs.FS) []*logFile {
	if from == nil {
		return nil
	}
	var all []*logFile
	_ = fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == ".":
			return fs.SkipAll
		case err != nil || !d.Type().IsRegular():
			return nil
		case len(all) == logFilesMax:
			return fs.SkipAll
		}
		node, name, ok := strings.Cut(path, "/")
		if name == samplesFile {
			return nil
		}
		if !ok {
			node, name = "", path
		}
		all = append(all, &logFile{Node: node, Name: name})
		return nil
	})
	slices.SortStableFunc(all, func(a, b *logFile) int { return naturally(a.Node, b.Node) })
	for _, f := range all {
		path := f.Name
		if f.Node != "" {
			path = f.Node + "/" + f.Name
		}
		l.most, l.bytes = min(logEachMax, logTotalMax/len(all)), logReadMax/len(all)
		if err := l.readFile(f, from, path); err != nil {
			f.Trouble = err.Error()
		}
	}
	return all
}

func (l *logs) readFile(f *logFile, from fs.FS, path string) error {
	in, err := from.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	f.Size = int(info.Size())
	skip := int64(max(0, f.Size-l.bytes))
	if seeker, ok := in.(io.Seeker); ok {
		_, err = seeker.Seek(skip, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, in, skip)
	}
	if err != nil {
		return err
	}
	lines, err := l.scan(f, bufio.NewReaderSize(io.LimitReader(in, int64(l.bytes)), 64<<10))
	stamped := slices.ContainsFunc(lines, func(n logLine) bool { return n.at != noTime })
	if !stamped || l.epoch.IsZero() {
		f.tail(lines, min(l.most, 12<<10))
		return err
	}
	f.leads = leadersOf(lines, f.Node, l.episodes, l.end)
	f.lines = l.choose(lines, l.most)
	return err
}

// noTime is the place of a line above the first that tells the time.
const noTime = time.Duration(-1 << 62)

// scan reads the lines and gives each its place.
func (l *logs) scan(f *logFile, in *bufio.Reader) (lines []logLine, err error) {
	clock := clockOf(f.Node, l.epoch, l.episodes)
	at := noTime
	for {
		text, more, err := readLine(in)
		if errors.Is(err, io.EOF) && text == "" {
			return lines, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return lines, err
		}
		f.Lines++
		if s, ok := clock.stamp(text); ok {
			at = clock.place(s)
		}
		if more {
			text += "…"
		}
		lines = append(lines, logLine{at: at, level: levelOf(text), text: printable(text)})
	}
}

// readLine reads a line, of which it keeps the beginning.
func readLine(in *bufio.Reader) (text string, more bool, err error) {
	for {
		part, prefix, err := in.ReadLine()
		if room := logLineMax - len(text); room > 0 {
			text += string(part[:min(room, len(part))])
			more = more || len(part) > room
		} else {
			more = more || len(part) > 0
		}
		if err != nil || !prefix {
			return text, more, err
		}
	}
}

// tail keeps the last lines as text.
func (f *logFile) tail(lines []logLine, most int) {
	from, size := len(lines), 0
	for from > 0 && size+len(lines[from-1].text) < most {
		from--
		size += len(lines[from].text) + 1
	}
	var text strings.Builder
	for _, n := range lines[from:] {
		text.WriteString(n.text + "\n")
	}
	f.Text, f.Cut = text.String(), from > 0
}

// choose keeps the lines that tell most, up to so many bytes: those around
// anomalies, those that warn or tell of leaders, those around faults, the last ones.
func (l *logs) choose(lines []logLine, most int) []logLine {
	size := 0
	for _, n := range lines {
		size += len(n.text) + 1
	}
	keep := make([]bool, len(lines))
	if size > most {
		l.keepBest(lines, keep, most)
	}
	var kept []logLine
	left := 0
	for i, n := range lines {
		if size > most && !keep[i] {
			left++
			continue
		}
		n.left, left = left, 0
		kept = append(kept, n)
	}
	return kept
}

func (l *logs) keepBest(lines []logLine, keep []bool, most int) {
	order := make([]int, len(lines))
	worth := make([]int, len(lines))
	for i, n := range lines {
		order[i], worth[i] = i, l.worth(n)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if worth[a] != worth[b] {
			return worth[b] - worth[a]
		}
		return b - a
	})
	for _, i := range order {
		if most -= len(lines[i].text) + 1; most < 0 {
			return
		}
		keep[i] = true
	}
}

// Times around which a line is worth more.
const (
	aroundStory = 500 * time.Millisecond
	aroundFault = 200 * time.Millisecond
)

func (l *logs) worth(n logLine) int {
	if n.level > levelPlain || leadership(n.text) != nil {
		return 4
	}
	for _, s := range l.stories[:min(len(l.stories), storiesMax)] {
		if len(s.Calls) == 0 {
			continue
		}
		if _, to := s.span(); n.at > to-aroundStory && n.at < to+aroundStory/2 {
			return 3
		}
	}
	for _, e := range l.episodes {
		if near := func(at time.Duration) bool { return n.at > at-aroundFault && n.at < at+aroundFault }; near(e.From) || near(e.To) {
			return 2
		}
	}
	return 1
}

var (
	deathWords   = regexp.MustCompile(`\bpanic\b|\bfatal\b|sigsegv|sigabrt|segmentation fault|out of memory`)
	warningWords = regexp.MustCompile(`(?i)\bwarn(ing)?\b|\berr(or)?s?\b|\bfail(ed|ure|s)?\b|\bcrit(ical)?\b|\blost\b|^\d+:[A-Z] [^*.#-]{10,40} # `)
)

// hints are parts of what the expressions above look for; a line without any
// need not be looked at any closer.
var hints = []string{"panic", "fatal", "sig", "segmentation", "memory", "warn", "err", "fail", "crit", "lost", " # "}

func levelOf(line string) int {
	small := strings.ToLower(line)
	if !slices.ContainsFunc(hints, func(h string) bool { return strings.Contains(small, h) }) {
		return levelPlain
	}
	switch {
	case deathWords.MatchString(small):
		return levelDeath
	case warningWords.MatchString(line):
		return levelWarning
	}
	return levelPlain
}

// printable replaces what is no text.
func printable(text string) string {
	return strings.Map(printableRune, strings.ToValidUTF8(text, "\uFFFD"))
}

// printableRune replaces what would rearrange the page: control characters, and
// those that reverse the direction of writing.
func printableRune(r rune) rune {
	switch {
	case r == '\n' || r == '\t':
		return r
	case r == '\r':
		return -1
	case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
		return '\uFFFD'
	}
	return r
}
