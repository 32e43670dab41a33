// Package link connects nodes by links that can be cut, stalled, reset, delayed
// and throttled, without root: every directed pair of nodes has TCP proxies of
// its own, in the agent of the node that dials.
//
// A [Gate] is one direction between two nodes, with a [fallacy.Link] in force.
// A [Proxy] is a door to one port of a peer: what is dialled through it goes
// through the gate towards the peer, what comes back through the gate from it.
//
// # How close to a network this is
//
// A cut holds bytes back, as TCP does while a firewall drops its segments: they
// arrive when the cut is healed, unless an end has given up. New connections
// seem to be made, as the proxy is on the dialler's own machine, but nothing
// comes of them until both directions are open; so a client that would have
// failed to connect waits for its answer instead. Stalled connections are dead
// for good, and both ends believe in them. UDP and ICMP do not pass, and loss or
// duplication of packets cannot be had above TCP.
package link
