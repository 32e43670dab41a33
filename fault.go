package fallacy

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// Clients is the name under which all clients together stand for a node in
// [Condition.Links] and in conditions imposed on a cluster.
const Clients = "clients"

// Fault is one way for a cluster to misbehave, and the cure.
type Fault interface {
	// Inject breaks the cluster, with choices drawn from rng, and returns what it
	// did to whom. After an error, half of it may be in force.
	Inject(ctx context.Context, rng *rand.Rand, c Cluster) (damage Value, err error)

	// Verify finds out, while the fault is in force, whether it took effect, by
	// looking at its effect and not at what was asked for. It returns what it saw.
	Verify(ctx context.Context, c Cluster) (evidence Value, err error)

	// Heal undoes the fault, even half an Inject, and sees to it that it is gone.
	// It is idempotent, and harmless when nothing is broken.
	Heal(ctx context.Context, c Cluster) error
}

// Nemesis is a named fault with a schedule. Its schedule emits ops with F
// "inject" and "heal".
type Nemesis struct {
	Name     string // the family, and after a colon the variant: "partition", "kill:leader"
	Doc      string // first a title line, then a blank line, then the manual page
	Fallacy  string // which of the eight fallacies it punishes, in words
	Needs    []Need // what remote and target must be able to do
	Fault    Fault
	Schedule Generator
}

// Need is something that a fault asks of the remote or the target.
type Need string

// What a fault may need.
const (
	NeedLinks     Need = "links"     // cut, stall, reset, delay or throttle links between nodes
	NeedPackets   Need = "packets"   // lose, duplicate, reorder or corrupt packets
	NeedProcess   Need = "process"   // kill, pause and restart the target's process
	NeedClock     Need = "clock"     // skew the clock of the target's process
	NeedPrimaries Need = "primaries" // the target tells which nodes lead
	NeedCompact   Need = "compact"   // the target has a task of this name
	NeedDefrag    Need = "defrag"    // the target has a task of this name
	NeedMembers   Need = "members"   // the target's members can be removed and added
)

// Condition is everything that is to be wrong with one node on account of one
// fault. The zero Condition is health.
type Condition struct {
	Process ProcessState    `json:"process,omitempty"`
	Clock   Skew            `json:"clock,omitzero"`
	Links   map[string]Link `json:"links,omitempty"` // by peer's name, or Clients: what becomes of what this node sends to it
	Task    string          `json:"task,omitempty"`  // what an administrator does to it, once, by the target's [Maintenance]; nothing that is imposed
}

// ProcessState is what is to become of the target's process on a node.
type ProcessState uint8

// States of a process, from the best to the worst. Of two faults the worse counts.
const (
	Running    ProcessState = iota
	Paused                  // SIGSTOP; resumed with SIGCONT
	Terminated              // SIGTERM, and down until healed
	Killed                  // SIGKILL, and down until healed
)

var processStateNames = [...]string{"running", "paused", "terminated", "killed"}

// String returns the state in a word.
func (s ProcessState) String() string {
	return processStateNames[min(int(s), len(processStateNames)-1)]
}

// MarshalText returns the state in a word.
func (s ProcessState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word that String returns.
func (s *ProcessState) UnmarshalText(text []byte) error {
	for i, name := range processStateNames {
		if name == string(text) {
			*s = ProcessState(i)
			return nil
		}
	}
	return fmt.Errorf("process state is %q, want one of %q", text, processStateNames)
}

// Skew is how one process's wall clock departs from the machine's. The zero
// Skew is the right time. Monotonic clocks stay as they are.
type Skew struct {
	Offset time.Duration `json:"offset_ns,omitempty"` // added to the clock at once; negative: back in time
	Drift  float64       `json:"drift_ppm,omitempty"` // parts per million gained (negative: lost) from the moment the skew is set
	Strobe time.Duration `json:"strobe_ns,omitempty"` // if positive, Offset is there and gone in turns of this length
	Frozen bool          `json:"frozen,omitempty"`    // the clock stands still at the moment (plus Offset) the skew was set
}

// Link is what becomes of the traffic from one node to another. The zero Link
// lets everything through at once.
type Link struct {
	Cut    bool          `json:"cut,omitempty"`       // nothing gets across, as with a firewall that drops: it may arrive late, after the heal
	Reset  bool          `json:"reset,omitempty"`     // connections are broken off and new ones refused
	Stall  bool          `json:"stall,omitempty"`     // half-open: connections seem alive, what is sent on them is lost
	Delay  time.Duration `json:"delay_ns,omitempty"`  // later by this much
	Jitter time.Duration `json:"jitter_ns,omitempty"` // and by a random duration up to this, order kept
	Rate   int           `json:"rate,omitempty"`      // bytes a second; 0: no limit

	Loss      Share `json:"loss_ppm,omitempty"`      // of the packets are lost
	Duplicate Share `json:"duplicate_ppm,omitempty"` // are delivered twice
	Reorder   Share `json:"reorder_ppm,omitempty"`   // are held back until later ones have overtaken them
	Corrupt   Share `json:"corrupt_ppm,omitempty"`   // have a bit flipped: the receiver's checksums tell
}

// Share is how many of all, from 0 to 1, each drawn anew. In JSON it is a whole
// number of parts per million.
type Share float64

const million = 1_000_000

// MarshalJSON returns parts per million.
func (s Share) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, int64(math.Round(float64(s)*million)), 10), nil
}

// UnmarshalJSON reads parts per million.
func (s *Share) UnmarshalJSON(text []byte) error {
	ppm, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || ppm < 0 || ppm > million {
		return fmt.Errorf("a share is %s, want parts per million", text)
	}
	*s = Share(ppm) / million
	return nil
}

// Control acts on a cluster's nodes. It works with whole desired states: what a
// fault imposes replaces what the same fault imposed before; what several
// faults impose on a node holds together, the worse winning.
type Control interface {
	// Impose makes conditions, by node's name, all that fault does to the cluster:
	// a node that is not mentioned is well, as far as this fault goes. Clients as a
	// name stands for the clients' side of their links. Nil heals. Impose returns
	// when every node it could reach has carried it out.
	Impose(ctx context.Context, fault string, conditions map[string]Condition) error

	// Verify looks at the effect of all that is imposed now, on the nodes and
	// mechanisms that fault touched since it last verified as healed (for "": on
	// everything): processes in the process table, clocks as the targets read
	// them, probes across links. It returns what was seen, and an error that says
	// what is not as it should be.
	Verify(ctx context.Context, fault string) (evidence Value, err error)

	// Replace makes p what runs on a node from now on, beginning with nothing: the
	// process that was there is killed, the data directory emptied, p's files written.
	// Conditions that are imposed hold for p as they did for what was there. Done
	// again, it is done anew.
	Replace(ctx context.Context, node string, p Process) error
}

// Cluster is the nodes of a run and the means to act on them.
type Cluster struct {
	Nodes  []Node
	Target Target
	Control
}

// Names returns the nodes' names in order.
func (c Cluster) Names() []string {
	names := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		names[i] = n.Name
	}
	return names
}
