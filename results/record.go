package results

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/fallacy-dev/fallacy"
)

// bufferMax is how large a buffer Record keeps between calls.
const bufferMax = 4 << 20

// Record appends ops to the history, with one write to the file. When it
// returns nothing of them is left in this process, so that killing it loses
// nothing. It must not be called concurrently. After an error, which may have
// left half a line, it refuses every further op.
func (d *Dir) Record(ops []fallacy.Op) error {
	switch {
	case d.broken != nil:
		return d.broken
	case d.journal == nil:
		return fmt.Errorf("recording to run %s: it is finished", d.path)
	case len(ops) == 0:
		return nil
	}
	b := d.line[:0]
	for i := range ops {
		b = append(ops[i].AppendJSON(b), '\n')
	}
	if d.line = b; cap(b) > bufferMax {
		d.line = nil
	}
	if _, err := d.journal.Write(b); err != nil {
		d.broken = fmt.Errorf("recording to run %s: %w", d.path, err)
	}
	return d.broken
}

// Finish ends the recording and compresses the history. The plain file is
// removed once the compressed one is whole. Finish may be called again, also on
// a run that was opened after its controller was killed.
func (d *Dir) Finish() error {
	if d.journal != nil {
		err := d.journal.Close()
		d.journal = nil
		if err != nil {
			return fmt.Errorf("finishing run %s: %w", d.path, err)
		}
	}
	plain := filepath.Join(d.path, historyFile)
	in, err := os.Open(plain)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was done before
	}
	if err != nil {
		return fmt.Errorf("finishing run %s: %w", d.path, err)
	}
	defer in.Close()
	if err := d.replace(packedFile, func(w io.Writer) error { return pack(w, in) }); err != nil {
		return fmt.Errorf("finishing run %s: compressing its history: %w", d.path, err)
	}
	if err := os.Remove(plain); err != nil {
		return fmt.Errorf("finishing run %s: %w", d.path, err)
	}
	return nil
}

func pack(w io.Writer, in io.Reader) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, bufio.NewReaderSize(in, 1<<20)); err != nil {
		_ = z.Close()
		return err
	}
	return z.Close()
}

// History reads the history back. Damage is nil if all of it is there.
func (d *Dir) History() (fallacy.History, *Damage, error) {
	for _, name := range []string{historyFile, packedFile} {
		f, err := os.Open(filepath.Join(d.path, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("reading the history of run %s: %w", d.path, err)
		}
		defer f.Close()
		h, damage, err := ReadHistory(f)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the history of run %s: %w", d.path, err)
		}
		return h, damage, nil
	}
	return nil, nil, fmt.Errorf("reading the history of run %s: there is neither %s nor %s", d.path, historyFile, packedFile)
}
