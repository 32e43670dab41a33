package packet

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/fallacy-dev/fallacy"
)

// Config says whose packets a filter is about.
type Config struct {
	Name  string                // of the table; unlike any other's on this network
	Own   netip.Addr            // of this node
	Peers map[string]netip.Addr // by name
	Ports []uint16              // of this node that clients use
	// Chance is where every packet's fate comes from.
	Chance fallacy.Chance
}

// State is what is wrong with the links of a node: with what it is sent, by
// peer's name or [fallacy.Clients], and with what it sends to clients.
type State struct {
	In        map[string]fallacy.Link
	ToClients fallacy.Link
}

// direction is a link as seen from this node.
type direction struct {
	peer string // or fallacy.Clients
	out  bool   // what is sent to it, instead of by it
}

// directions are all that a filter looks at, in a fixed order.
func (c Config) directions() []direction {
	var all []direction
	for _, peer := range slices.Sorted(maps.Keys(c.Peers)) {
		all = append(all, direction{peer: peer})
	}
	return append(all, direction{peer: fallacy.Clients}, direction{peer: fallacy.Clients, out: true})
}

func (s State) link(d direction) fallacy.Link {
	if d.out {
		return s.ToClients
	}
	return s.In[d.peer]
}
