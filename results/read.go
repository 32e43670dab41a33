package results

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/results/jepsen"
)

// Damage says where a history on disk stops making sense. Everything before is good.
type Damage struct {
	Line   int    // the first line that could not be read, from 1
	Kept   int    // how many ops were read before it
	Reason string // what is wrong with it
	Cut    bool   // it is where the file ends, in the middle: whoever wrote it was interrupted
}

// String returns the damage in a sentence, without a full stop.
func (d *Damage) String() string {
	return fmt.Sprintf("line %d cannot be read: %s; the %d ops before it were kept", d.Line, d.Reason, d.Kept)
}

// Sizes of what is read at once, and of the longest line.
const (
	firstBlock = 64 << 10 // most files that are looked at are small
	blockSize  = 1 << 20
	lineMax    = 64 << 20
)

// zstdMagic is how every zstd file begins.
var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// ReadHistory reads a history, plain or compressed with zstd as its first bytes
// say: a JSON object a line, in the order of the ops, one array of such objects, or EDN as Jepsen writes it. Empty lines are skipped;
// an op without an index gets its place. What cannot be read, and all that
// follows it, is left out and told as Damage; the error is for r's own trouble.
func ReadHistory(r io.Reader) (fallacy.History, *Damage, error) {
	src := &source{r: r}
	if f, ok := r.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			src.size = info.Size()
		}
	}
	in := bufio.NewReaderSize(src, firstBlock)
	var lines io.Reader = in
	if magic, _ := in.Peek(len(zstdMagic)); bytes.Equal(magic, zstdMagic) {
		z, err := zstd.NewReader(in)
		if err != nil {
			return nil, nil, err
		}
		defer z.Close()
		lines = z
	}
	h, damage := readAny(bufio.NewReaderSize(lines, firstBlock), src.share)
	if src.err != nil {
		return nil, nil, src.err
	}
	return h, damage, nil
}

// readAny reads JSON lines or EDN, by the content.
func readAny(in *bufio.Reader, share func() float64) (fallacy.History, *Damage) {
	start, _ := in.Peek(sniffed)
	if isArray(start) {
		return readArray(in)
	}
	if !jepsen.Sniff(start) {
		return readLines(in, share)
	}
	h, err := jepsen.Read(in)
	if err == nil {
		return h, nil
	}
	d := &Damage{Line: 1, Kept: len(h), Reason: err.Error()}
	var syntax *jepsen.SyntaxError
	if errors.As(err, &syntax) {
		d.Line, d.Reason = syntax.Line, syntax.Err.Error()
	}
	return h, d
}

// sniffed is how much of a file is looked at to tell what it is.
const sniffed = 512

// source remembers why reading stopped, so that a disk's error is not taken for
// a file's damage.
type source struct {
	r    io.Reader
	err  error
	size int64 // of the file; 0: not known
	read atomic.Int64
}

// share is how much of the file was read; 0: not known.
func (s *source) share() float64 {
	if s.size == 0 {
		return 0
	}
	return float64(s.read.Load()) / float64(s.size)
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.read.Add(int64(n))
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
