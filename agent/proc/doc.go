// Package proc keeps the target's process on a node in the state that is asked
// for: running, paused, terminated or killed.
//
// A [Supervisor] starts the process in a process group of its own, starts it
// again when it ends without being asked to, and remembers every such end. The
// state is verified in the process table, not by what was sent to the process.
package proc
