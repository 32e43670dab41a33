//go:build !linux || !(amd64 || arm64)

package clock

import (
	"fmt"
	"os/exec"
	"runtime"
)

// Supported tells why the clock of a process that this program starts cannot be skewed here, or nil if it can.
func Supported() error {
	return fmt.Errorf("skew a process's clock: only on linux on amd64 and arm64, this is %s on %s", runtime.GOOS, runtime.GOARCH)
}

// Start always fails here, as [Supported] says; cmd is not started.
func (c *Clock) Start(*exec.Cmd) error { return Supported() }
