//go:build unix && !linux

package proc

import (
	"errors"
	"runtime"
)

// UsageOf cannot tell here what a process uses.
func UsageOf(int) (Usage, error) {
	return Usage{}, errors.New("what a process uses is looked up in /proc, which " + runtime.GOOS + " does not have")
}
