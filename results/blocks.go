package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/fallacy-dev/fallacy"
)

// block is some whole lines, parsed on their own.
type block struct {
	ops   []fallacy.Op
	into  fallacy.History // where all ops go, if that is known: ops then is a part of it
	lines int             // how many were read
	err   error           // why the line after those could not be
	cut   bool            // that line has no end
	done  chan struct{}
}

// splitter cuts lines into blocks and starts to parse each.
type splitter struct {
	in      io.Reader
	share   func() float64 // of the input that was read; 0: not known
	parsers *sync.Pool
	after   int // blocks after which it is reckoned how many ops there are

	blocks int
	lines  int             // at most, so far
	into   fallacy.History // room for all ops, once it is known how many there may be
}

// Blocks after which it is reckoned how many ops there are, how many more than
// reckoned there is room for, and how many at most: a file may say anything.
// Memory that is not used is not taken either.
const (
	reckonAfter = 64
	spareShare  = 1.08
	roomMost    = 1 << 24
)

// readLines parses blocks of lines side by side and puts them together in order.
// Ops of a large file are parsed to where they stay: to write two gigabytes once
// takes half the time of writing them twice.
func readLines(r io.Reader, share func() float64) (fallacy.History, *Damage) {
	return (&splitter{in: r, share: share, after: reckonAfter}).read()
}

// read parses all blocks and gathers their ops.
func (s *splitter) read() (fallacy.History, *Damage) {
	blocks := make(chan *block, runtime.GOMAXPROCS(0))
	stop := make(chan struct{})
	s.parsers = &sync.Pool{New: func() any { return new(fallacy.Parser) }}
	go func() {
		defer close(blocks)
		s.split(func(b *block) bool {
			select {
			case blocks <- b:
				return true
			case <-stop:
				return false
			}
		})
	}()
	var all gathered
	var damage *Damage
	lines := 0
	for b := range blocks {
		<-b.done
		lines += b.lines
		all.add(b)
		if b.err != nil {
			damage = &Damage{Line: lines + 1, Kept: all.total, Reason: b.err.Error(), Cut: b.cut}
			break
		}
	}
	close(stop)
	for b := range blocks { // whoever reads r, or writes to where ops go, must not outlive us
		<-b.done
	}
	return all.history(), damage
}

// gathered is the ops of blocks, in order: in one place, if there is one, else in parts.
type gathered struct {
	into  fallacy.History
	parts [][]fallacy.Op
	total int
}

// add adds what follows. Ops without an index get their place.
func (g *gathered) add(b *block) {
	for i := range b.ops {
		if b.ops[i].Index < 0 {
			b.ops[i].Index = g.total + i
		}
	}
	if g.into == nil && b.into != nil && cap(b.into) >= g.total+len(b.ops) {
		g.into = b.into[:cap(b.into)]
		at := 0
		for i, ops := range g.parts {
			at += copy(g.into[at:], ops)
			g.parts[i] = nil
		}
		g.parts = nil
	}
	switch {
	case g.into == nil:
		g.parts = append(g.parts, b.ops)
	case g.total+len(b.ops) > len(g.into): // more than was reckoned
		g.parts, g.into = [][]fallacy.Op{g.into[:g.total], b.ops}, nil
	case len(b.ops) > 0 && &g.into[g.total] != &b.ops[0]: // there were empty lines before
		copy(g.into[g.total:], b.ops)
	}
	g.total += len(b.ops)
}

func (g *gathered) history() fallacy.History {
	if g.into != nil {
		return g.into[:g.total:g.total]
	}
	h := make(fallacy.History, 0, g.total)
	for i, ops := range g.parts {
		h = append(h, ops...)
		g.parts[i] = nil
	}
	return h
}

// split cuts the input at line ends into blocks, starts to parse each, and hands
// them to put until that says no or the input ends.
func (s *splitter) split(put func(*block) bool) {
	var rest []byte
	for size := firstBlock; ; size = blockSize {
		text := make([]byte, max(size, 2*len(rest)))
		n := copy(text, rest)
		m, err := fill(s.in, text[n:])
		text = text[:n+m]
		end := bytes.LastIndexByte(text, '\n') + 1
		switch {
		case err == io.EOF:
			put(s.start(text, nil))
			return
		case err != nil:
			put(s.start(text[:end], fmt.Errorf("the compressed data is cut off or damaged: %w", err)))
			return
		case end == 0 && len(text) > lineMax:
			put(s.start(nil, fmt.Errorf("it is longer than %d bytes", lineMax)))
			return
		}
		rest = text[end:]
		if end > 0 && !put(s.start(text[:end:end], nil)) {
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

// start parses text beside the caller, with one of the parsers, which make lines
// far apart share memory; err is what follows text.
func (s *splitter) start(text []byte, err error) *block {
	lines := bytes.Count(text, []byte{'\n'}) + 1 // the last may have no end
	if len(text) > 0 && text[len(text)-1] == '\n' {
		lines--
	}
	b := &block{done: make(chan struct{}), ops: s.room(lines), into: s.into}
	go func() {
		defer close(b.done)
		p := s.parsers.Get().(*fallacy.Parser)
		defer s.parsers.Put(p)
		if b.parse(p, text); b.err == nil {
			b.err, b.cut = err, errors.Is(err, io.ErrUnexpectedEOF)
		}
	}()
	return b
}

// room returns where so many ops are parsed to: there is room for as many.
func (s *splitter) room(lines int) []fallacy.Op {
	s.blocks++
	before := s.lines
	s.lines += lines
	if s.blocks == s.after {
		if share := s.share(); share > 0 {
			if all := float64(before) / share * spareShare; all < roomMost {
				s.into = make(fallacy.History, 0, int(all))
			}
		}
	}
	if s.lines <= cap(s.into) {
		return s.into[before:before:s.lines]
	}
	return make([]fallacy.Op, 0, lines)
}

func (b *block) parse(p *fallacy.Parser, text []byte) {
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
