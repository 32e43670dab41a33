package redis

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Of streams.
const (
	streams     = "stream/"
	streamField = "v"
	atOnce      = 100 // records at most that are read at once
)

// withinMs is how much Redis can count within a millisecond before offsets run out.
// It may be much: a server whose clock went back counts on in the last one.
const withinMs = 1_000_000

// Send adds value to the end of a stream by XADD, under an ID that Redis chooses:
// the milliseconds of its wall clock, but never less than the last one's, and a
// count. A server does not go back, then; another one that takes over may.
func (c *Conn) Send(ctx context.Context, stream string, value int) (offset int, err error) {
	key, id := streams+stream, ""
	err = c.request(ctx, key, false, func(r *redis.Client) (err error) {
		id, err = r.Do(ctx, "XADD", key, "*", streamField, decimal(value)).Text()
		return err
	})
	if err != nil {
		return 0, err
	}
	return offsetOf(id)
}

// Records reads behind an offset by XREAD.
func (c *Conn) Records(ctx context.Context, stream string, after int) (records [][2]int, err error) {
	key := streams + stream
	answer, err := c.read(ctx, key, "XREAD", "COUNT", atOnce, "STREAMS", key, idOf(after))
	if err != nil || answer == nil {
		return nil, err
	}
	entries, err := entriesOf(answer)
	if err != nil {
		return nil, err
	}
	records = make([][2]int, len(entries))
	for i, e := range entries {
		parts, _ := e.([]any)
		if len(parts) != 2 {
			return nil, fmt.Errorf("the stream %s has an entry %v, want an ID and its fields", stream, e)
		}
		id, _ := parts[0].(string)
		if records[i][0], err = offsetOf(id); err != nil {
			return nil, err
		}
		fields, _ := parts[1].([]any)
		if len(fields) != 2 || fields[0] != streamField {
			return nil, fmt.Errorf("the entry %s of the stream %s has fields %v, want one called %s", id, stream, parts[1], streamField)
		}
		if records[i][1], err = integer(fields[1]); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// entriesOf are the entries in an answer to XREAD of one stream: [[key, entries]].
func entriesOf(answer any) ([]any, error) {
	all, _ := answer.([]any)
	if len(all) == 1 {
		if one, _ := all[0].([]any); len(one) == 2 {
			if entries, ok := one[1].([]any); ok {
				return entries, nil
			}
		}
	}
	return nil, fmt.Errorf("the answer to XREAD is %v, want the entries of one stream", answer)
}

// offsetOf makes an integer of an ID, such that integers are in the order of IDs.
func offsetOf(id string) (int, error) {
	first, second, _ := strings.Cut(id, "-")
	ms, err := strconv.Atoi(first)
	seq, notSeq := strconv.Atoi(second)
	if err != nil || notSeq != nil || ms < 0 || ms >= math.MaxInt64/withinMs || seq < 0 || seq >= withinMs {
		return 0, fmt.Errorf("the ID %q cannot be made an offset: want milliseconds, and a count below %d", id, withinMs)
	}
	return ms*withinMs + seq, nil
}

// idOf is the ID of which offsetOf made an integer.
func idOf(offset int) string { return fmt.Sprintf("%d-%d", offset/withinMs, offset%withinMs) }
