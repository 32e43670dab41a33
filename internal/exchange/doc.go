// Package exchange gives the nodes of a cluster addresses that are the same from
// everywhere, where the network has none.
//
// With links that are doors of fallacy's own, every node reaches a peer at an address of its own for it. Many systems
// cannot have that: they keep one address for each member in their replicated state, or tell it to others. So they are
// told a name, or one address, for each member, and what stands behind it is looked up when a connection is made, by
// who makes it: a telephone exchange.
//
//   - [Socks] is for programs that take a SOCKS proxy, as those in Go do by HTTP_PROXY. Each node has a proxy of its
//     own, which knows the node's doors by names.
//   - [Line] is for programs that can bind the address they call from. Each node calls from an address of its own, and
//     a member's line tells by it through whose doors to go on.
//
// The exchange runs beside the controller, so it serves clusters on this machine only. It carries bytes and adds
// nothing: what is cut, stalled or delayed, is so at the doors behind it.
package exchange
