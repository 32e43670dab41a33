package fallacy

import (
	"context"
	"errors"
	"io"
)

// ErrFailed marks an error that proves that nothing happened, and never will:
// the operation completes as Fail. Wrap it only with proof in hand. A timeout
// is no proof, nor is a connection that broke after the request was sent.
var ErrFailed = errors.New("did not happen")

// Client applies operations for one process.
type Client interface {
	// Invoke performs op and returns the value it observed. A nil error completes
	// op as OK. An error that wraps ErrFailed, which claims proof that nothing
	// happened, completes it as Fail. Any other error, a timeout above all,
	// completes it as Info: when in doubt, nobody knows. The value returned with
	// ErrFailed is what was seen on the way; nil keeps the invocation's value.
	//
	// Invoke must return soon after ctx is done.
	Invoke(ctx context.Context, op Op) (Value, error)
	io.Closer
}
