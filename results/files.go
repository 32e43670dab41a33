package results

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// SaveJSON writes v as the file name of the run, or replaces it: a reader finds
// the old content or the new one, never a part.
func (d *Dir) SaveJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = d.replace(name, func(w io.Writer) error {
			_, err := w.Write(append(text, '\n'))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("saving %s: %w", name, err)
	}
	return nil
}

func (d *Dir) loadJSON(name string, v any) error {
	text, err := os.ReadFile(filepath.Join(d.path, name))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// replace gives the file name the content that write writes, or leaves it as it was.
func (d *Dir) replace(name string, write func(io.Writer) error) (err error) {
	temp, err := os.CreateTemp(d.path, "."+safeName(name)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = temp.Close()
			_ = os.Remove(temp.Name())
		}
	}()
	buffered := bufio.NewWriterSize(temp, 1<<16)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := temp.Chmod(0o644); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), filepath.Join(d.path, safeName(name)))
}

// CreateLog makes a file for what a node's process wrote. Of name only the last
// element counts; a second file of the same name gets a number.
func (d *Dir) CreateLog(node, name string) (io.WriteCloser, error) {
	dir := filepath.Join(d.path, nodesDir, safeName(node))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("creating log %s of node %s: %w", name, node, err)
	}
	if slash := strings.LastIndexAny(name, `/\`); slash >= 0 {
		name = name[slash+1:]
	}
	var f *os.File
	_, err := unique(safeName(name), func(name string) (err error) {
		if name == samplesFile {
			return fs.ErrExist // it is taken, or will be
		}
		f, err = os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("creating log %s of node %s: %w", name, node, err)
	}
	return f, nil
}

// safeName returns name as a single element of a path, whatever it was: letters,
// digits, dot, dash and underscore, no dot in front, not empty, not too long.
func safeName(name string) string {
	const most = 120
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '_'
	}, name)
	safe = safe[:min(len(safe), most)]
	if safe == "" || safe[0] == '.' {
		safe = "_" + safe
	}
	return safe
}
