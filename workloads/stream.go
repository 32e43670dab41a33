package workloads

import (
	"context"
	"maps"
	"strconv"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/generator"
)

// StreamConn is a connection to streams by name: what is sent to one gets an
// offset, higher than all before, and is there to be read again and again.
type StreamConn interface {
	fallacy.Conn

	// Send puts value at the end of a stream and returns its offset, which is above 0.
	Send(ctx context.Context, stream string, value int) (offset int, err error)

	// Records returns the first records of a stream behind an offset, 0 for the
	// beginning, in their order, each an offset and a value: as many as the target
	// likes, none only if there are none.
	Records(ctx context.Context, stream string, after int) (records [][2]int, err error)
}

const streamDoc = `streams, to which all send, and which all read from where they are

Workers send integers, each once, to a few streams, and poll: each goes on behind the
last offset that it polled, and now and then begins from the beginning. At the end
a last value is sent to each stream, and every worker reads all of them anew: what
was acknowledged and is not there then was lost, even at the end of a stream, unless
that last value got a lower offset.

A value that is lost, that comes twice or at another offset, a stream that goes on at
offsets which were used before: all show here.`

// Shape of the stream workload.
const (
	streamsInUse = 3
	rewindOne    = 40  // of so many ops of a worker one begins from the beginning
	lastSendsMax = 50  // attempts to send a last value to a stream
	readAnewMax  = 500 // polls of a worker at the end
)

// Stream is the workload of streams.
func Stream() *fallacy.Workload {
	var last []fallacy.Generator
	for i := range streamsInUse {
		// Below 0, so that no value is sent twice.
		lastValue := func(_ fallacy.Chance, n int) (string, fallacy.Value) {
			return "send", fallacy.Tuple(streamKey(i), fallacy.Int(-n-1))
		}
		last = append(last, generator.UntilOK(generator.Limit(lastSendsMax, generator.From(lastValue))))
	}
	return &fallacy.Workload{
		Name:      "stream",
		Doc:       streamDoc,
		Client:    streamClient,
		Generator: generator.From(streamOp),
		Final:     generator.Phases(append(last, generator.EachWorker(anew{}))...),
		Checkers:  []*fallacy.Checker{checkers.Log()},
	}
}

func streamKey(i int) fallacy.Value { return fallacy.String("s" + strconv.Itoa(i)) }

// streamOp sends as often as it polls.
func streamOp(c fallacy.Chance, n int) (string, fallacy.Value) {
	key := streamKey(c.At("stream").IntN(streamsInUse))
	switch {
	case c.At("rewind").IntN(rewindOne) == 0:
		return "assign", fallacy.Nil()
	case c.At("f").IntN(2) == 0:
		return "send", fallacy.Tuple(key, fallacy.Int(n))
	}
	return "poll", fallacy.List(key)
}

// anew is what a worker does at the end: it begins from the beginning and polls
// one stream after the other, until there is no more.
type anew struct {
	n      int  // ops so far
	stream int  // that it is at
	begun  bool // from the beginning
	busy   bool
}

// Next polls once more.
func (g anew) Next(now fallacy.Moment) (*fallacy.Op, fallacy.Generator) {
	if g.stream == streamsInUse || g.n >= readAnewMax {
		return nil, nil
	}
	if g.busy || len(now.Free) == 0 {
		return nil, g
	}
	op := &fallacy.Op{Time: now.Time, Process: now.Free[0], F: "poll", Value: fallacy.List(streamKey(g.stream))}
	if !g.begun {
		op.F, op.Value = "assign", fallacy.Nil()
	}
	g.n, g.busy = g.n+1, true
	return op, g
}

// Update goes to the next stream when a poll found nothing.
func (g anew) Update(_ fallacy.Moment, event fallacy.Op) fallacy.Generator {
	if event.Type == fallacy.Invoke {
		return g
	}
	g.busy = false
	switch {
	case event.F == "assign" && event.Type == fallacy.OK:
		g.begun = true
	case event.F == "poll" && event.Type == fallacy.OK:
		if records, _ := event.Value.List(); len(records) == 0 {
			g.stream++
		}
	}
	return g
}

// polls is a client's place in each stream, by its name.
type polls struct {
	conn StreamConn
	at   map[string]int
}

// send completes with [stream, [offset, value]].
func (p polls) send(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
	name, value, ok := keyAndInt(v)
	if !ok {
		return fallacy.Nil(), malformed("send", v)
	}
	offset, err := p.conn.Send(ctx, name, value)
	if err != nil {
		return fallacy.Nil(), err
	}
	return fallacy.Tuple(fallacy.String(name), fallacy.Ints(offset, value)), nil
}

// poll completes with [[stream, [[offset, value], …]]], without streams of which
// there is nothing new.
func (p polls) poll(ctx context.Context, v fallacy.Value) (fallacy.Value, error) {
	keys, ok := v.List()
	if !ok {
		return fallacy.Nil(), malformed("poll", v)
	}
	found, at := []fallacy.Value{}, maps.Clone(p.at)
	for _, key := range keys {
		name, ok := key.Str()
		if !ok {
			return fallacy.Nil(), malformed("poll", v)
		}
		records, err := p.conn.Records(ctx, name, at[name])
		if err != nil {
			return fallacy.Nil(), err
		}
		var list []fallacy.Value
		for _, r := range records {
			list = append(list, fallacy.Ints(r[:]...))
			at[name] = r[0]
		}
		if len(list) > 0 {
			found = append(found, fallacy.Tuple(key, fallacy.List(list...)))
		}
	}
	maps.Copy(p.at, at)
	return fallacy.List(found...), nil
}

func streamClient(conn fallacy.Conn) (fallacy.Client, error) {
	c, err := need[StreamConn](conn, "Send and Records")
	if err != nil {
		return nil, err
	}
	p := polls{c, make(map[string]int)}
	return client{conn, map[string]func(context.Context, fallacy.Value) (fallacy.Value, error){
		"send": p.send,
		"poll": p.poll,
		"assign": func(_ context.Context, v fallacy.Value) (fallacy.Value, error) {
			clear(p.at)
			return v, nil
		},
	}}, nil
}
