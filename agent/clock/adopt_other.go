//go:build !linux || !amd64

package clock

import (
	"fmt"
	"runtime"
)

// errSwap is why a process that runs is not given another clock here.
func errSwap() error {
	return fmt.Errorf("the clock of a process that runs already is changed on linux/amd64 only, this is %s/%s", runtime.GOOS, runtime.GOARCH)
}

func adopt(int, *mapping, uint32) error { return errSwap() }

func disown(int) error { return errSwap() }
