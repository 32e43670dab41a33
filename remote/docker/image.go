package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/fallacy-dev/fallacy/agent"
	"github.com/moby/moby/client"
)

// labelContent on an image is the digest of what it was made from.
const labelContent = "fallacy.content"

// Host as [Options.Image] stands for the programs that are installed on this machine.
const Host = "host"

// image is what containers are made from.
type image struct {
	id   string
	name string      // in words; empty: it is the empty one
	says agent.Image // of how its program is to be run
}

// chooseImage finds, pulls or makes the image that the options ask for.
func (d *Dialer) chooseImage(ctx context.Context) (image, error) {
	switch official := d.opts.Target.Name; {
	case d.opts.Image == Host:
		return d.hostImage(ctx)
	case d.opts.Image != "":
		return d.named(ctx, d.opts.Image)
	case d.opts.Program != "" || official == "" && len(d.opts.Target.Programs) == 0:
		return d.emptyImage(ctx)
	case official == "":
		return d.hostImage(ctx)
	}
	im, missing := d.named(ctx, d.opts.Target.Name)
	if missing == nil {
		d.opts.Note("nodes are run from " + im.name)
		return im, nil
	}
	if ctx.Err() != nil {
		return image{}, context.Cause(ctx)
	}
	im, err := d.hostImage(ctx)
	if err != nil {
		return image{}, fmt.Errorf("%w; and %w", missing, err)
	}
	im.name += ", for " + missing.Error()
	d.opts.Note("nodes are run from " + im.name)
	return im, nil
}

// emptyImage is an image with nothing in it: no registry is asked.
func (d *Dialer) emptyImage(ctx context.Context) (image, error) {
	return d.made(ctx, "fallacy-empty", newTree())
}

// hostImage is an image of the target's programs as they are installed here.
func (d *Dialer) hostImage(ctx context.Context) (image, error) {
	t, err := hostTree(d.opts.Target)
	if err != nil {
		return image{}, err
	}
	im, err := d.made(ctx, "fallacy-host", t)
	im.name = strings.Join(d.opts.Target.Programs, ", ") + " as installed on this machine"
	return im, err
}

// made is the image of a tree, made when it is not there yet.
func (d *Dialer) made(ctx context.Context, name string, t *tree) (image, error) {
	digest, err := t.digest()
	if err != nil {
		return image{}, fmt.Errorf("pack the image %s: %w", name, err)
	}
	label := labelContent + "=" + digest
	id, err := imageWith(ctx, d.docker, label)
	if err != nil || id != "" {
		return image{id: id}, err
	}
	r, w := io.Pipe()
	defer r.Close() // so that who writes does not wait for ever
	go func() { w.CloseWithError(t.write(w)) }()
	answer, err := d.docker.ImageImport(ctx, client.ImageImportSource{Source: r, SourceName: "-"}, name,
		client.ImageImportOptions{Tag: digest[:12], Changes: []string{"LABEL " + label, "ENV PATH=" + imagePath}})
	if err != nil {
		return image{}, fmt.Errorf("make the image %s: %w", name, err)
	}
	if _, err := io.Copy(io.Discard, answer); err != nil {
		return image{}, errors.Join(fmt.Errorf("make the image %s: %w", name, err), answer.Close())
	}
	if err := answer.Close(); err != nil {
		return image{}, fmt.Errorf("make the image %s: %w", name, err)
	}
	id, err = imageWith(ctx, d.docker, label)
	if err == nil && id == "" {
		err = fmt.Errorf("make the image %s: Docker took it and does not list it", name)
	}
	return image{id: id}, err
}

// imageWith returns the ID of an image with the label; empty: there is none.
func imageWith(ctx context.Context, docker *client.Client, label string) (string, error) {
	images, err := docker.ImageList(ctx, client.ImageListOptions{Filters: make(client.Filters).Add("label", label)})
	if err != nil {
		return "", fmt.Errorf("list images: %w", err)
	}
	if len(images.Items) == 0 {
		return "", nil
	}
	return images.Items[0].ID, nil
}

// named is an image by its name, pulled when it is not there.
func (d *Dialer) named(ctx context.Context, name string) (image, error) {
	im, err := d.inspect(ctx, name)
	if !errdefs.IsNotFound(err) {
		return im, err
	}
	if err := d.pull(ctx, name); err != nil {
		return image{}, err
	}
	return d.inspect(ctx, name)
}

// inspect reads what a local image says of itself.
func (d *Dialer) inspect(ctx context.Context, name string) (image, error) {
	seen, err := d.docker.ImageInspect(ctx, name)
	if err != nil {
		return image{}, fmt.Errorf("look up the image %s: %w", name, err)
	}
	if seen.Os != "linux" || seen.Architecture != d.arch {
		return image{}, fmt.Errorf("the image %s is for %s/%s, and Docker runs linux/%s", name, seen.Os, seen.Architecture, d.arch)
	}
	im := image{id: seen.ID, name: "the image " + name}
	if c := seen.Config; c != nil {
		im.says = agent.Image{Entrypoint: c.Entrypoint, Cmd: c.Cmd, Dir: c.WorkingDir, User: c.User}
	}
	return im, nil
}

// pullNoteEvery is how often there is word of an image that is on its way.
const pullNoteEvery = 3 * time.Second

// pull asks the registry for an image, and says how far it is.
func (d *Dialer) pull(ctx context.Context, name string) error {
	wrong := func(err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		why := strings.TrimPrefix(err.Error(), "Error response from daemon: ")
		return fmt.Errorf("the image %s is not on this machine and cannot be pulled: %s", name, why)
	}
	answer, err := d.docker.ImagePull(ctx, name, client.ImagePullOptions{})
	if err != nil {
		return wrong(err)
	}
	defer answer.Close()
	d.opts.Note("pulling the image " + name)
	type layer struct{ have, total int64 }
	layers, last := make(map[string]layer), time.Now()
	for m, err := range answer.JSONMessages(ctx) {
		switch {
		case err != nil:
			return wrong(err)
		case m.Error != nil:
			return wrong(m.Error)
		case m.Progress != nil && m.Progress.Total > 0 && m.Status == "Downloading":
			layers[m.ID] = layer{m.Progress.Current, m.Progress.Total}
		case m.Status == "Download complete":
			layers[m.ID] = layer{layers[m.ID].total, layers[m.ID].total}
		}
		if time.Since(last) < pullNoteEvery {
			continue
		}
		last = time.Now()
		var sum layer
		for _, l := range layers {
			sum.have, sum.total = sum.have+l.have, sum.total+l.total
		}
		const mega = 1_000_000
		d.opts.Note(fmt.Sprintf("pulling the image %s: %d of %d MB", name, sum.have/mega, sum.total/mega))
	}
	d.opts.Note("pulled the image " + name)
	return nil
}
