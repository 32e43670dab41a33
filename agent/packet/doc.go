// Package packet acts on the packets between a node and its peers and clients,
// where the agent may: it needs the capability NET_ADMIN.
//
// A [Filter] is one node's share of the network's faults. Everything is done
// where packets arrive, so that their sender notices nothing; only clients, who
// have no agent, have what is sent to them looked at on its way out. Cuts,
// resets and stalls are rules of an nftables table of its own, before connection
// tracking; the rest is decided packet by packet in queues (NFQUEUE) that this
// process reads. Peers are told by their addresses; clients are everybody else
// who uses the target's ports. The loopback, other ports and other addresses are
// left alone.
//
// The table belongs to the process (where the kernel, 5.12 or later, allows for
// it) and goes with it, even by kill -9; queues without a reader let everything
// through.
//
// # How close to a network this is
//
// Delay and rate keep the order of packets; what is held back for [fallacy.Link]
// Reorder is late by 2 to 30 ms more. Corrupt packets have one bit flipped
// behind the IP header and no checksum mended, so that the receiver drops most of
// them, as with a bad cable. Connections that tried to send during a stall are
// dead for good, both ends believing in them; those that kept still go on.
package packet
