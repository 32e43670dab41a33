package agent

import (
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent/proc"
)

// Probe is the name of the port at which every agent answers probes. Links lead
// to it as they lead to the target's own ports, through the same gates.
const Probe = "probe"

// Hello tells an agent who it is. It is the first call on a stream.
type Hello struct {
	Node     string        // the node's name
	Ports    []string      // names of the ports the target listens on
	Seed     uint64        // of the run
	Deadline time.Duration // the dead man's switch: heal after this long without a sign of life
}

// Greeting is an agent's answer to Hello.
type Greeting struct {
	PID     int               // of the agent
	System  string            // "linux/amd64"
	Dir     string            // where the target's data goes
	Listen  map[string]string // by port's name: where the target is to listen, and the agent for Probe
	Packets string            // why packets cannot be acted on; empty: they can
	Clock   string            // why the target's clock cannot be skewed; empty: it can
}

// Routes tells an agent where its peers listen, by node's and port's name.
type Routes struct {
	Peers map[string]map[string]string
	// Packets: links are the network's own, and faults on them are made of its packets.
	Packets bool
}

// Doors is where an agent's links begin.
type Doors struct {
	Peers  map[string]map[string]string // by peer's and port's name: for this node
	Public map[string]string            // by port's name: for clients
}

// Started is how the target was started on a node.
type Started struct {
	Argv    []string // as it was run: the image's own entrypoint is in it
	Program string   // the file that was run, where it was found
	Dir     string   // working directory
	User    string   // number and group's number; empty: whoever the agent is
}

// State is all that is to be wrong with a node, of all faults together: the
// whole of it, never an increment.
type State struct {
	Seq     uint64 // grows from state to state: one that is overtaken on its way has no effect
	Process fallacy.ProcessState
	Clock   fallacy.Skew
	Out     map[string]fallacy.Link // by peer's name, or fallacy.Clients: what this node sends
	In      map[string]fallacy.Link // the same: what this node is sent
}

// Ping asks an agent to probe its peers.
type Ping struct {
	Seq   uint64         // grows from ping to ping
	Bytes map[string]int // by peer's name: how much to send along, to measure a rate
	Many  map[string]int // by peer's name: how many datagrams to send, where packets are to be counted; 0: few
}

// Report is how a node is, as seen from inside.
type Report struct {
	Process    proc.Status
	ProcessErr string                   // how the process is not as the state says
	ClockErr   string                   // how the clock is not as the state says
	Skew       time.Duration            // of the clock, as the process read it last
	Heard      map[string]uint64        // by peer's name, or fallacy.Clients: the last ping that arrived here
	Echoed     map[string]uint64        // by peer's name: the last ping of ours that was answered
	RTT        map[string]time.Duration // of that ping
	Tallies    map[string]Tally         // by peer's name, or fallacy.Clients: what arrived of the last ping from there
	Tripped    string                   // when and why the dead man's switch healed the node; empty: it did not
}

// Look says what a report is to find out.
type Look struct {
	Process bool
	Clock   bool // wait until the process has read its clock, for a bounded time
}

// File is a log on a node.
type File struct {
	Name string // relative to the node's directory of logs, slash-separated
	Size int64
}

// Chunk asks for a part of a log.
type Chunk struct {
	Name   string
	Offset int64
	Max    int
}
