package results

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

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
	h, damage := readAny(bufio.NewReaderSize(lines, firstBlock))
	if src.err != nil {
		return nil, nil, src.err
	}
	return h, damage, nil
}

// readAny reads JSON lines or EDN, by the content.
func readAny(in *bufio.Reader) (fallacy.History, *Damage) {
	start, _ := in.Peek(sniffed)
	if isArray(start) {
		return readArray(in)
	}
	if !jepsen.Sniff(start) {
		return readLines(in)
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
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// readLines parses blocks of lines side by side and puts them together in order.
func readLines(r io.Reader) (fallacy.History, *Damage) {
	blocks := make(chan *block, runtime.GOMAXPROCS(0))
	stop := make(chan struct{})
	parsers := &sync.Pool{New: func() any { return new(fallacy.Parser) }}
	go func() {
		defer close(blocks)
		split(r, parsers, func(b *block) bool {
			select {
			case blocks <- b:
				return true
			case <-stop:
				return false
			}
		})
	}()
	var parts [][]fallacy.Op
	var damage *Damage
	lines, total := 0, 0
	for b := range blocks {
		<-b.done
		lines += b.lines
		parts, total = append(parts, b.ops), total+len(b.ops)
		if b.err != nil {
			damage = &Damage{Line: lines + 1, Kept: total, Reason: b.err.Error(), Cut: b.cut}
			break
		}
	}
	close(stop)
	for range blocks { // whoever reads r must not outlive us
	}
	return join(parts, total), damage
}

func join(parts [][]fallacy.Op, total int) fallacy.History {
	h := make(fallacy.History, 0, total)
	for i, ops := range parts {
		for _, op := range ops {
			if op.Index < 0 {
				op.Index = len(h)
			}
			h = append(h, op)
		}
		parts[i] = nil
	}
	return h
}

// split cuts r at line ends into blocks, starts to parse each, and hands them to
// put until that says no or r ends.
func split(r io.Reader, parsers *sync.Pool, put func(*block) bool) {
	var rest []byte
	for size := firstBlock; ; size = blockSize {
		text := make([]byte, max(size, 2*len(rest)))
		n := copy(text, rest)
		m, err := fill(r, text[n:])
		text = text[:n+m]
		end := bytes.LastIndexByte(text, '\n') + 1
		switch {
		case err == io.EOF:
			put(startParse(parsers, text, nil))
			return
		case err != nil:
			put(startParse(parsers, text[:end], fmt.Errorf("the compressed data is cut off or damaged: %w", err)))
			return
		case end == 0 && len(text) > lineMax:
			put(startParse(parsers, nil, fmt.Errorf("it is longer than %d bytes", lineMax)))
			return
		}
		rest = text[end:]
		if end > 0 && !put(startParse(parsers, text[:end:end], nil)) {
			return
		}
	}
}

// fill reads until p is full or r ends. Unlike io.ReadFull it tells the two ends
// of compressed data apart: io.EOF where it is whole, anything else where not.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

// block is some whole lines, parsed on their own.
type block struct {
	ops   []fallacy.Op
	lines int   // how many were read
	err   error // why the line after those could not be
	cut   bool  // that line has no end
	done  chan struct{}
}

// startParse parses text beside the caller, with one of the parsers, which make
// lines far apart share memory; err is what follows text.
func startParse(parsers *sync.Pool, text []byte, err error) *block {
	b := &block{done: make(chan struct{})}
	go func() {
		defer close(b.done)
		p := parsers.Get().(*fallacy.Parser)
		defer parsers.Put(p)
		if b.parse(p, text); b.err == nil {
			b.err, b.cut = err, errors.Is(err, io.ErrUnexpectedEOF)
		}
	}()
	return b
}

func (b *block) parse(p *fallacy.Parser, text []byte) {
	b.ops = make([]fallacy.Op, 0, bytes.Count(text, []byte{'\n'})+1)
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte{'\n'})
		text = rest
		if line = bytes.TrimSpace(line); len(line) > 0 {
			op, err := p.Op(line)
			if err != nil {
				b.err, b.cut = err, !ended
				return
			}
			b.ops = append(b.ops, op)
		}
		b.lines++
	}
}
