package docker

import (
	"context"
	"io"

	"github.com/fallacy-dev/fallacy"
)

// WriteHost writes programs that are installed here, with what they load, and an
// executable file of text, as a tar archive.
func WriteHost(w io.Writer, target fallacy.Image, path, text string) error {
	t, err := hostTree(target)
	if err != nil {
		return err
	}
	t.put(path, text, 0o755)
	return t.write(w)
}

// NewIndirect returns a dialer whose containers' addresses are taken to be out of
// reach, as with Docker Desktop.
func NewIndirect(ctx context.Context, opts Options) (*Dialer, error) {
	d, err := New(ctx, opts)
	if err == nil {
		d.network.publish, d.network.indirect = true, true
	}
	return d, err
}
