package docker

import "context"

// NewIndirect returns a dialer whose containers' addresses are taken to be out of
// reach, as with Docker Desktop.
func NewIndirect(ctx context.Context, opts Options) (*Dialer, error) {
	d, err := New(ctx, opts)
	if err == nil {
		d.network.publish, d.network.indirect = true, true
	}
	return d, err
}
