package remote

import (
	"errors"

	"github.com/fallacy-dev/fallacy"
)

// breaks notes whose standing connections a fault breaks for good: those of both
// sides, as every connection needs both ways.
func (c *Cluster) breaks(conditions map[string]fallacy.Condition) {
	for from, cond := range conditions {
		for to, l := range cond.Links {
			if l.Reset || l.Stall {
				c.broken[pair{from, to}], c.broken[pair{to, from}] = true, true
			}
		}
	}
}

// stands notes that a ping was answered: there is a connection again, unless what
// answered is still to break.
func (c *Cluster) stands(p pair) {
	if !c.closed(p) && !c.closed(pair{p.to, p.from}) {
		delete(c.broken, p)
	}
}

// unseen tells whether nobody can see that a link is open: where links are doors,
// what is sent travels on connections, and none stands or can be made while the way
// back is closed.
func (c *Cluster) unseen(p pair) bool {
	return c.noPackets != nil && !c.closed(p) && c.closed(pair{p.to, p.from}) && c.broken[p]
}

// crossed returns an error if a fault does something to what crosses links, and
// across none of them can anything be seen to come, on account of other faults: it
// then did nothing, or nobody knows.
func (c *Cluster) crossed(fault string) error {
	wanted := false
	for from, cond := range c.imposed[fault] {
		for to, l := range cond.Links {
			p := pair{from, to}
			closes := l.Cut || l.Reset || l.Stall
			if closes || !c.closed(p) && !c.unseen(p) {
				return nil
			}
			wanted = true
		}
	}
	if wanted {
		return errors.New("every link that it is about was closed by another fault, or cannot be looked at while the way back is")
	}
	return nil
}
