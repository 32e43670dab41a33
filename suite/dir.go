package suite

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Names in a suite's directory.
const (
	headFile    = "suite.json"
	journalFile = "outcomes.jsonl"
	summaryFile = "summary.json"
	pageFile    = "index.html"
	runsDir     = "runs"
)

// Head is what a directory is about.
type Head struct {
	Name    string `json:"name"`
	File    string `json:"file"`           // the suite's text
	Hash    string `json:"hash"`           // of the text, the seed and the number of repetitions
	Shard   Shard  `json:"shard"`          // which part of it
	Planned int    `json:"planned"`        // tests of this part
	Past    string `json:"past,omitempty"` // hash of what the shards were balanced by
}

// Dir is where a suite's outcomes are kept. An outcome is on disk before the
// next one is told of, so that a suite that was killed goes on where it stopped.
type Dir struct {
	path string
	Head Head

	mu      sync.Mutex
	journal *os.File
}

// HeadOf describes the part of a suite's file that a directory is to hold.
func HeadOf(f *File, text []byte, shard Shard, planned int, past []byte) Head {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%d %d", text, f.Seed, f.Repeat)
	h := Head{Name: f.Name, File: string(text), Hash: hex.EncodeToString(sum.Sum(nil))[:16], Shard: shard, Planned: planned}
	if len(past) > 0 {
		digest := sha256.Sum256(past)
		h.Past = hex.EncodeToString(digest[:8])
	}
	return h
}

// Create makes a directory, which must not hold a suite yet.
func Create(path string, head Head) (*Dir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(path, headFile)); err == nil {
		return nil, fmt.Errorf("%s holds a suite already: go on with it by --resume, or name another directory", path)
	}
	d := &Dir{path: path, Head: head}
	if err := d.saveJSON(headFile, head); err != nil {
		return nil, err
	}
	return d, d.open()
}

// Resume opens a directory to go on with the same suite.
func Resume(path string, head Head) (*Dir, error) {
	d, err := Open(path)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Head.Hash != head.Hash:
		return nil, fmt.Errorf("%s holds another suite than this, or another version of it: start anew in another directory", path)
	case d.Head.Shard != head.Shard:
		return nil, fmt.Errorf("%s holds shard %s and not %s", path, d.Head.Shard, head.Shard)
	case d.Head.Past != head.Past:
		return nil, fmt.Errorf("%s was balanced by another --baseline: give the same one", path)
	}
	return d, d.open()
}

// Open opens a directory to read it.
func Open(path string) (*Dir, error) {
	text, err := os.ReadFile(filepath.Join(path, headFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no suite: there is no %s", path, headFile)
	}
	if err != nil {
		return nil, err
	}
	d := &Dir{path: path}
	if err := json.Unmarshal(text, &d.Head); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, headFile), err)
	}
	return d, nil
}

func (d *Dir) open() (err error) {
	// What was cut off in the middle of a line must not spoil the next one.
	whole, err := d.Outcomes()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, o := range whole {
		line, err := json.Marshal(o)
		if err != nil {
			return err
		}
		text.Write(append(line, '\n'))
	}
	if err := writeFile(filepath.Join(d.path, journalFile), text.Bytes()); err != nil {
		return err
	}
	d.journal, err = os.OpenFile(filepath.Join(d.path, journalFile), os.O_APPEND|os.O_WRONLY, 0o644)
	return err
}

// Path is the directory's.
func (d *Dir) Path() string { return d.path }

// Runs is where the suite's runs are kept.
func (d *Dir) Runs() string { return filepath.Join(d.path, runsDir) }

// Note keeps an outcome, whose directory is then relative to the suite's, so
// that both can be moved.
func (d *Dir) Note(o Outcome) error {
	o.Dir = d.relative(o.Dir)
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.journal.Write(append(line, '\n')); err != nil {
		return err
	}
	return d.journal.Sync()
}

// Outcomes are those that are kept, in the order in which the tests ended.
func (d *Dir) Outcomes() ([]Outcome, error) {
	f, err := os.Open(filepath.Join(d.path, journalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []Outcome
	lines := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return all, nil // a line without an end was cut off
		}
		var o Outcome
		if err := json.Unmarshal(line, &o); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", f.Name(), n, err)
		}
		all = append(all, o)
	}
}

// Close ends the keeping.
func (d *Dir) Close() error {
	if d.journal == nil {
		return nil
	}
	return d.journal.Close()
}

func (d *Dir) saveJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(d.path, name), append(text, '\n'))
}

// writeFile replaces a file at once.
func writeFile(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
