package results

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"unicode"
)

// Bounds of what the page shows of logs; the files have all of it.
const (
	logFilesMax = 100
	logTotalMax = 96 << 10
	logEachMax  = 12 << 10
)

// logFile is the end of a file that a node's process wrote.
type logFile struct {
	Node, Name string
	Size       int
	Text       string
	Cut        bool // there is more before
	Trouble    string
}

// logsOf returns the ends of all logs, by node. Logs are looked at, not relied
// on: what cannot be read is said in place of the text.
func logsOf(logs fs.FS) []logFile {
	if logs == nil {
		return nil
	}
	var all []logFile
	_ = fs.WalkDir(logs, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == ".":
			return fs.SkipAll
		case err != nil || !d.Type().IsRegular():
			return nil
		case len(all) == logFilesMax:
			return fs.SkipAll
		}
		node, name, ok := strings.Cut(path, "/")
		if !ok {
			node, name = "", path
		}
		all = append(all, logFile{Node: node, Name: name})
		return nil
	})
	slices.SortStableFunc(all, func(a, b logFile) int { return naturally(a.Node, b.Node) })
	for i := range all {
		f := &all[i]
		path := f.Name
		if f.Node != "" {
			path = f.Node + "/" + f.Name
		}
		if err := f.read(logs, path, min(logEachMax, logTotalMax/len(all))); err != nil {
			f.Trouble = err.Error()
		}
	}
	return all
}

// read takes the last most bytes, from the beginning of a line.
func (f *logFile) read(logs fs.FS, path string, most int) error {
	in, err := logs.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	f.Size = int(info.Size())
	from := int64(max(0, f.Size-most))
	if seeker, ok := in.(io.Seeker); ok {
		if _, err = seeker.Seek(from, io.SeekStart); err != nil {
			return err
		}
	} else if _, err = io.CopyN(io.Discard, in, from); err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(in, int64(most)))
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading its end: %w", err)
	}
	f.Text, f.Cut = string(text), from > 0
	if _, rest, ok := strings.Cut(f.Text, "\n"); ok && f.Cut {
		f.Text = rest
	}
	f.Text = printable(f.Text)
	return nil
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
