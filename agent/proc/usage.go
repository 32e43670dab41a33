package proc

import "time"

// Usage is what a process and its descendants use. A number that the system does
// not tell is negative.
type Usage struct {
	CPU     time.Duration // since they began, with that of their children that ended
	Memory  int64         // resident, bytes
	Files   int           // open ones, sockets among them
	Threads int           // that run or wait
	Read    int64         // bytes fetched from storage
	Written int64         // bytes sent to storage
}
