package linearizable

import (
	"fmt"

	"github.com/fallacy-dev/fallacy"
)

// versionWalk goes through a key's versions in order.
type versionWalk struct {
	*versioned
	counting bool
	ends     []int                 // by place: the first end from there on
	byValue  map[fallacy.Ident]int // places in doubt
	gap      int                   // first of the doubtful calls that may fill a gap
	last     versionedCall         // the last that wrote or saw the version that is there
	latest   versionedCall         // the one that began last
}

// claim notes which calls of unknown outcome were seen, and with which version
// first. Values are unique, or else the last that wrote one stands for all.
func (w *versionWalk) claim() {
	w.byValue = make(map[fallacy.Ident]int)
	for i, d := range w.doubt {
		w.byValue[d.value.Ident()] = i
	}
	for i := range w.calls {
		c := &w.calls[i]
		if c.wrote || i > 0 && w.calls[i-1].version == c.version || c.version == 0 {
			continue
		}
		if at, ok := w.byValue[c.value.Ident()]; ok && w.doubt[at].version < 0 {
			w.doubt[at].version = c.version
		}
	}
}

// step takes the call at a place as the next.
func (w *versionWalk) step(i int) *violation {
	c := w.calls[i]
	if v := w.order(c); v != nil {
		return v
	}
	if c.version != w.last.version {
		if v := w.advance(c, i); v != nil {
			return v
		}
	} else if v := w.same(c); v != nil {
		return v
	}
	w.last = c
	if w.latest.Invoke == nil || c.begin() > w.latest.begin() {
		w.latest = c
	}
	return nil
}

// order finds that a call had ended before one began that comes before it.
func (w *versionWalk) order(c versionedCall) *violation {
	if w.latest.Invoke == nil || c.end() > w.latest.begin() {
		return nil
	}
	return w.violated("nonlinearizable", fmt.Sprintf("%s had ended before %s was invoked (op %d), and the versions put it after that",
		c.who(), w.latest.who(), w.latest.begin()), c, w.latest)
}

// same is about a call at the version that is there.
func (w *versionWalk) same(c versionedCall) *violation {
	switch {
	case c.wrote && c.version == 0:
		return w.violated("duplicate version", c.who()+" got the version of what was never written", c)
	case c.wrote:
		return w.violated("duplicate version", fmt.Sprintf("%s and %s got one version", w.last.who(), c.who()), w.last, c)
	case !c.value.Equal(w.last.value):
		return w.violated("wrong value", fmt.Sprintf("%s saw %v, and %v had that version", c.who(), c.value, w.last.value), w.last, c)
	}
	return nil
}

// advance is about the first call at a version.
func (w *versionWalk) advance(c versionedCall, i int) *violation {
	before := w.last.value
	if !c.wrote {
		writer, ok := w.writerOf(c)
		if !ok {
			return w.violated("wrong value", fmt.Sprintf("%s saw %v, which nobody wrote with that version", c.who(), c.value), c)
		}
		if writer.begin() > w.ends[i] {
			return w.violated("nonlinearizable", fmt.Sprintf("%s saw %v before the write of it was invoked (op %d)", c.who(), c.value, writer.begin()), c, writer)
		}
		if w.latest.Invoke == nil || writer.begin() > w.latest.begin() {
			w.latest = writer
		}
	}
	missing := c.version - w.last.version - 1
	if w.counting {
		for ; missing > 0; missing-- {
			if !w.fill(i) {
				return w.violated("missing version", fmt.Sprintf("%s comes after version %d, and no write can have got version %d", c.who(), w.last.version, c.version-missing), w.last, c)
			}
		}
	}
	if c.cas && !w.counting && !c.old.Equal(before) && !(missing > 0 && w.mayHaveBeen(c)) {
		return w.violated("wrong value", fmt.Sprintf("%s found %v, but the value before was %v, of version %d", c.who(), c.old, before, w.last.version), w.last, c)
	}
	return nil
}

// writerOf returns the write of unknown outcome that a read shows to have got
// the read's version.
func (w *versionWalk) writerOf(c versionedCall) (versionedCall, bool) {
	at, ok := w.byValue[c.value.Ident()]
	if !ok || w.doubt[at].version != c.version {
		return versionedCall{}, false
	}
	return w.doubt[at], true
}

// fill puts a write of unknown outcome that nobody saw before the call at a place.
func (w *versionWalk) fill(i int) bool {
	for w.gap < len(w.doubt) && w.doubt[w.gap].version >= 0 {
		w.gap++
	}
	if w.gap == len(w.doubt) || w.doubt[w.gap].begin() > w.ends[i] {
		return false
	}
	w.gapPassed(w.doubt[w.gap])
	w.gap++
	return true
}

func (w *versionWalk) gapPassed(d versionedCall) {
	if w.latest.Invoke == nil || d.begin() > w.latest.begin() {
		w.latest = d
	}
}

// mayHaveBeen tells whether what a cas found can have been written in a gap of
// the versions, by a call of unknown outcome.
func (w *versionWalk) mayHaveBeen(c versionedCall) bool {
	for _, d := range w.doubt {
		if d.version < 0 && d.value.Equal(c.old) && d.begin() < c.end() {
			return true
		}
	}
	return false
}
