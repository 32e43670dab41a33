package fallacy

import "time"

// Test is a run to be done: a question put to a target under faults.
type Test struct {
	Name        string // "refstore/register"
	Target      Target
	Workload    *Workload
	Nemeses     []Nemesis
	Concurrency int           // client workers, spread evenly over the nodes
	Rate        float64       // invocations a second, all workers together; 0: as fast as they can
	Time        time.Duration // of the workload under faults
	OpTimeout   time.Duration // after which an operation is Info
	Recovery    time.Duration // how long to wait at the most until every node serves again
	Seed        uint64        // fixes every random choice
}
