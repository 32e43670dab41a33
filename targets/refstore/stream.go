package refstore

import (
	"context"
	"fmt"

	"github.com/fallacy-dev/fallacy"
)

// streamKey is the list that a stream is kept as: an element's place in it, from 1
// on, is its offset.
func streamKey(stream string) fallacy.Value { return fallacy.String("stream/" + stream) }

// Send appends value to a stream, and reads in the same transaction where it came to be.
func (c *Conn) Send(ctx context.Context, stream string, value int) (offset int, err error) {
	key := streamKey(stream)
	done, err := c.Txn(ctx, []fallacy.MicroOp{{F: "append", Key: key, Value: fallacy.Int(value)}, {F: "r", Key: key}})
	if err != nil {
		return 0, err
	}
	all, ok := done[1].Value.List()
	if !ok || len(all) == 0 || !all[len(all)-1].Equal(fallacy.Int(value)) {
		return 0, fmt.Errorf("%d was appended to the stream %s, which does not end with it", value, stream)
	}
	return len(all), nil
}

// Records returns all records of a stream behind an offset.
func (c *Conn) Records(ctx context.Context, stream string, after int) (records [][2]int, err error) {
	done, err := c.Txn(ctx, []fallacy.MicroOp{{F: "r", Key: streamKey(stream)}})
	if err != nil {
		return nil, err
	}
	all, ok := done[0].Value.Ints()
	if !ok && !done[0].Value.IsNil() {
		return nil, fmt.Errorf("the stream %s is %v, want a list of integers", stream, done[0].Value)
	}
	for offset := after + 1; offset <= len(all); offset++ {
		records = append(records, [2]int{offset, all[offset-1]})
	}
	return records, nil
}
