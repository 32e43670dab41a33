package packet

import (
	"math/rand/v2"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// line is one direction between two nodes as packets travel it.
type line struct {
	link fallacy.Link
	rng  *rand.Rand
	last time.Time // when the last packet that keeps its place is to arrive
}

// fate is what becomes of one packet.
type fate struct {
	lost    bool
	arrives time.Time
	late    bool // it has lost its place to those behind it
	twice   bool
	corrupt bool
}

// Bounds of how much later than its turn a packet is that is overtaken.
const (
	lateMin = 2 * time.Millisecond
	lateMax = 30 * time.Millisecond
)

// backlogMax is how long a packet may wait for a link of limited rate; what would
// wait longer is lost, as in a router's queue.
const backlogMax = 2 * time.Second

// draw tells whether a packet belongs to a share.
func (l *line) draw(s fallacy.Share) bool { return s > 0 && l.rng.Float64() < float64(s) }

// decide draws the fate of a packet of size bytes.
func (l *line) decide(now time.Time, size int) (f fate) {
	if l.draw(l.link.Loss) {
		return fate{lost: true}
	}
	f.arrives = now.Add(l.link.Delay)
	if l.link.Jitter > 0 {
		f.arrives = f.arrives.Add(time.Duration(l.rng.Int64N(int64(l.link.Jitter))))
	}
	if f.arrives.Before(l.last) {
		f.arrives = l.last
	}
	if l.link.Rate > 0 {
		f.arrives = f.arrives.Add(time.Duration(float64(size) / float64(l.link.Rate) * float64(time.Second)))
		if f.arrives.Sub(now) > backlogMax+l.link.Delay+l.link.Jitter {
			return fate{lost: true}
		}
	}
	l.last = f.arrives
	if l.draw(l.link.Reorder) {
		f.late = true
		f.arrives = f.arrives.Add(lateMin + time.Duration(l.rng.Int64N(int64(lateMax-lateMin))))
	}
	f.twice = l.draw(l.link.Duplicate)
	f.corrupt = l.draw(l.link.Corrupt)
	return f
}

// plain tells whether all packets keep their place and are left as they are: then
// many can be treated at once, and large ones need not be cut into those that travel.
func plain(l fallacy.Link) bool {
	return l.Loss == 0 && l.Duplicate == 0 && l.Reorder == 0 && l.Corrupt == 0
}

// queued tells whether the fate of packets is to be drawn for each.
func queued(l fallacy.Link) bool {
	return !l.Cut && !l.Reset && !l.Stall && (!plain(l) || l.Delay > 0 || l.Jitter > 0 || l.Rate > 0)
}
