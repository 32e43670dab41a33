package agent

import (
	"github.com/fallacy-dev/fallacy/agent/link"
)

// gates are a node's two directions with each peer, made when first asked for.
type gates struct {
	outward, inward map[string]*link.Gate
}

func newGates() gates {
	return gates{outward: make(map[string]*link.Gate), inward: make(map[string]*link.Gate)}
}

func (g gates) out(peer string) *link.Gate { return gate(g.outward, peer) }
func (g gates) in(peer string) *link.Gate  { return gate(g.inward, peer) }

func gate(m map[string]*link.Gate, peer string) *link.Gate {
	if m[peer] == nil {
		m[peer] = link.NewGate()
	}
	return m[peer]
}

// set makes every gate what s says; those that s does not mention are open.
func (g gates) set(s State) {
	for peer, gate := range g.outward {
		gate.Set(s.Out[peer])
	}
	for peer, gate := range g.inward {
		gate.Set(s.In[peer])
	}
}
