package fallacy

import (
	"context"
	"io"
)

// Self as a process's Argv[0] stands for fallacy's own binary on the node.
const Self = "fallacy:self"

// Node is a member of a cluster and the addresses that concern it, all host:port.
type Node struct {
	Name   string                       `json:"name"`
	Dir    string                       `json:"dir"`    // data directory of the target's process, on the node
	Listen map[string]string            `json:"listen"` // by port's name: where the process is to listen
	Peers  map[string]map[string]string `json:"peers"`  // by peer's and port's name: where this node reaches it
	Public map[string]string            `json:"public"` // by port's name: where clients reach this node
}

// Process says how to run the target on a node.
type Process struct {
	Argv  []string          `json:"argv"`
	Env   []string          `json:"env,omitempty"`   // besides the agent's own, as KEY=value
	Files map[string]string `json:"files,omitempty"` // written before the first start: path relative to Node.Dir, content
	Logs  []string          `json:"logs,omitempty"`  // files to collect besides stdout and stderr, relative to Node.Dir
}

// Conn is a target's own connection to one node, for one process. What else it
// can do a workload finds out by the interfaces it names.
type Conn = io.Closer

// Target is a system under test. Kill, pause and start are not its job. One that
// is an io.Closer is closed when its run is over.
type Target interface {
	// Process says what to run on n, which is one of cluster.
	Process(n Node, cluster []Node) (Process, error)

	// Ready returns nil once n serves clients; any error means not yet.
	Ready(ctx context.Context, n Node) error

	// Open connects to n. An error here proves that no operation took place.
	Open(ctx context.Context, n Node) (Conn, error)
}

// Ports is a target that says which ports its nodes listen on. Without it there is one, "client".
type Ports interface {
	// Ports returns the names; "client" must be one of them.
	Ports() []string
}

// Primaries is a target that can tell which nodes lead.
type Primaries interface {
	// Primaries returns the names of the nodes that believe they lead, best effort
	// and soon; none is an answer.
	Primaries(ctx context.Context, cluster []Node) ([]string, error)
}

// Maintenance is a target that has an administrator, who does things to its nodes
// while they serve.
type Maintenance interface {
	// Tasks returns what can be done, by name. Faults know "compact", to discard what
	// is kept of the past, and "defrag", to give room on the disk back.
	Tasks() map[string]Task
}

// Task does something to a node, through the node itself, and looks whether it took
// effect. It returns what it saw. An error says that it did not, or that nobody knows.
type Task func(ctx context.Context, n Node) (evidence Value, err error)

// Versions is a target whose nodes say which version of it they run.
type Versions interface {
	// Version returns what n says that it is, such as "3.6.12".
	Version(ctx context.Context, n Node) (string, error)
}

// Membership is a target whose cluster's members can be removed and added while it
// runs. Each method asks the cluster, through whichever of its members answers.
type Membership interface {
	// Members returns the names of the nodes that are members, as the others say. A
	// node that was added and has not started yet is none.
	Members(ctx context.Context, cluster []Node) ([]string, error)

	// Leave removes n, whether or not it runs; it is no error if it is no member. An
	// error that wraps ErrFailed proves that n was not removed.
	Leave(ctx context.Context, n Node, cluster []Node) error

	// Join adds n, which is no member, as a new one, and says how to run it with an
	// empty data directory. After an error it may have been added: Leave undoes that.
	Join(ctx context.Context, n Node, cluster []Node) (Process, error)
}

// Images is a target whose programs fallacy does not carry itself.
type Images interface {
	// Image says where they come from.
	Image() Image
}

// Image says where a target's programs come from.
type Image struct {
	Name     string   // of the official image, as docker pull knows it, with a tag
	Programs []string // found by name in PATH where they are installed; the target's own first
	Files    []string // what else they need of a machine where they are installed: absolute paths
}

// Claims is a target whose makers say what it guarantees.
type Claims interface {
	// Claims returns what they say of that which a workload checks, a sentence
	// each, with where they say it.
	Claims(workload string) []string
}

// CrashPatterns is a target that knows what its own crashes look like.
type CrashPatterns interface {
	// CrashPatterns returns regular expressions of lines in logs that mean a crash.
	CrashPatterns() []string
}

// TargetOptions is what the command line tells a target.
type TargetOptions struct {
	Nodes    int
	Bug      string // which planted bug to run with; empty: none
	Topology string // how the nodes are put together; empty: the target's own default
	Seed     uint64
}

// TargetKind is a target's entry in the catalogue.
type TargetKind struct {
	Name string
	Doc  string // first a title line, then a blank line, then the manual page
	New  func(TargetOptions) (Target, error)
	Bugs []Bug
}

// Bug is a way in which a target can be told to be wrong, and how it shows.
type Bug struct {
	Name      string   `json:"name"`
	Doc       string   `json:"doc"`
	Workload  string   `json:"workload"`  // the workload that exposes it
	Faults    []string `json:"faults"`    // the faults that bring it out; none: it shows by itself
	Anomalies []string `json:"anomalies"` // of these at least one must be found
}
