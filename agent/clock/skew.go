package clock

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// maxDrift is the most that a clock may gain or lose, in parts per million: a thousand seconds a second. More would
// leave the range of time.Duration within days.
const maxDrift = 1e9

// rateUnit is what a gain of one nanosecond a nanosecond is in record.rate.
const rateUnit = 1 << 40

// record is a skew as the fake functions compute with it. Fixed-point numbers, because a signal handler or Go's
// runtime may read the clock while the floating point registers are somebody else's.
type record struct {
	base   int64  // the machine's clock when the skew was set, ns since 1970
	offset int64  // ns to add
	rate   int64  // gain per ns, in units of 2^-40
	strobe int64  // length of a turn in ns, or 0
	frozen int64  // 1: the clock stands still
	drift  uint64 // bits of the drift in ppm that rate was made from: only for whoever opens the page later
	_      [2]uint64
}

// recordOf prepares s to be in force from now on.
func recordOf(s fallacy.Skew, now time.Time) (record, error) {
	if math.IsNaN(s.Drift) || math.Abs(s.Drift) > maxDrift {
		return record{}, fmt.Errorf("a drift of %v ppm is not within ±%g", s.Drift, float64(maxDrift))
	}
	if s.Strobe < 0 {
		return record{}, errors.New("turns of a strobe cannot be shorter than nothing")
	}
	r := record{
		base:   now.UnixNano(),
		offset: int64(s.Offset),
		rate:   int64(math.Round(s.Drift * (rateUnit / 1e6))),
		strobe: int64(s.Strobe),
		drift:  math.Float64bits(s.Drift),
	}
	if s.Frozen {
		r.frozen = 1
	}
	return r, nil
}

// skew is what r was made from.
func (r record) skew() fallacy.Skew {
	return fallacy.Skew{
		Offset: time.Duration(r.offset),
		Drift:  math.Float64frombits(r.drift),
		Strobe: time.Duration(r.strobe),
		Frozen: r.frozen != 0,
	}
}

// at is what the clock departs from the machine's by, in ns, when that one shows real: the same arithmetic as in
// fake/*.S, bit by bit, overflows included.
func (r record) at(real int64) int64 {
	since := real - r.base
	if r.frozen != 0 {
		return r.offset - since
	}
	offset := r.offset
	if r.strobe > 0 && since >= 0 && since/r.strobe%2 == 1 {
		offset = 0
	}
	hi, lo := bits.Mul64(uint64(since), uint64(r.rate))
	hi -= uint64(since>>63)&uint64(r.rate) + uint64(r.rate>>63)&uint64(since) // the factors are signed
	return offset + int64(hi<<24|lo>>40)
}

// describe says s in words, for errors.
func describe(s fallacy.Skew) string {
	if s == (fallacy.Skew{}) {
		return "the right time"
	}
	text := fmt.Sprintf("offset %v", s.Offset)
	switch {
	case s.Frozen:
		text += ", frozen"
	default:
		if s.Drift != 0 {
			text += fmt.Sprintf(", drift %v ppm", s.Drift)
		}
		if s.Strobe > 0 {
			text += fmt.Sprintf(", there and gone every %v", s.Strobe)
		}
	}
	return text
}
