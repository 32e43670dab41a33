// Package ssh runs a cluster on machines that are reached by SSH. On each it
// uploads the controller's own static binary, once for every version, and runs it
// as the agent, as root if it may; the stream is the session's input and output.
// A POSIX shell is all that has to be there.
//
// Hosts are found as ssh itself finds them: by ~/.ssh/config, with jump hosts,
// with keys, an agent or a password, and only if their key is in known_hosts.
// Nodes and clients reach each other at the addresses that the nodes' own sshd
// is reached at.
//
// Each node has a directory for its run, which names the run's controller, so that
// [Leftovers] finds those whose controller is gone. An agent heals and ends when
// its session does.
package ssh
