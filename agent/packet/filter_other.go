//go:build !linux

package packet

import "errors"

var errLinux = errors.New("packets can be acted on on Linux only")

// Filter is one node's share of the network's faults; there is none here.
type Filter struct{}

// Supported tells why packets cannot be acted on here.
func Supported() error { return errLinux }

// Open returns why there is no filter.
func Open(Config) (*Filter, error) { return nil, errLinux }

// Set does nothing.
func (*Filter) Set(State) error { return errLinux }

// Close does nothing.
func (*Filter) Close() error { return nil }
