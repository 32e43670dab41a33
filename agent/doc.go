// Package agent is the program on each node: it supervises the target's process
// and carries out faults there.
//
// The controller talks to it over one byte stream, in JSON-RPC: [Serve] is the
// agent's end, [Client] the controller's. The controller sends whole desired
// states ([State]); the agent reconciles, and verifies from inside ([Report]).
//
// # Dead man's switch
//
// When the stream ends, the agent heals all that it did, kills the target and
// returns. When the stream is there but nobody gives a sign of life for longer
// than the deadline, it heals and says so in its next report.
//
// # Mechanisms
//
// One package each: agent/link for links between nodes, agent/clock for the
// clock of the target's process and of what that executes, agent/proc for the
// process itself, which can be replaced by another one with an empty directory.
package agent
