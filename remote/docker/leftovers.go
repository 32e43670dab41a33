package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/fallacy-dev/fallacy/agent/owner"
	"github.com/moby/moby/client"
)

// Leftover is what is there of a run whose controller is gone.
type Leftover struct {
	Run        string
	Containers []string // IDs
	Networks   []string
	Volumes    []string
}

// Leftovers finds what controllers on this machine have left behind. Where
// there is no Docker, or none for this user, nothing was.
func Leftovers(ctx context.Context) ([]Leftover, error) {
	docker, err := connect(ctx)
	if err != nil {
		var none *unreachableError
		if errors.As(err, &none) {
			return nil, nil
		}
		return nil, err
	}
	left, err := leftovers(ctx, docker)
	return left, errors.Join(err, docker.Close())
}

// Heal removes all of it.
func (l Leftover) Heal(ctx context.Context) error {
	docker, err := connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(l.heal(ctx, docker), docker.Close())
}

func leftovers(ctx context.Context, docker *client.Client) ([]Leftover, error) {
	return list(ctx, docker, labelRun)
}

// list finds by label what there is of runs: of one that is named, or of those
// whose controller is gone.
func list(ctx context.Context, docker *client.Client, label string) ([]Leftover, error) {
	filters := make(client.Filters).Add("label", label)
	containers, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", err)
	}
	networks, err := docker.NetworkList(ctx, client.NetworkListOptions{Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("list networks: %w", err)
	}
	volumes, err := docker.VolumeList(ctx, client.VolumeListOptions{Filters: filters})
	if err != nil {
		return nil, fmt.Errorf("list volumes: %w", err)
	}
	one := strings.Contains(label, "=")
	runs := make(map[string]*Leftover)
	of := func(labels map[string]string) *Leftover {
		run := labels[labelRun]
		if o, ok := owner.Parse(labels[labelController]); !one && (!ok || !o.Dead()) {
			return &Leftover{} // somebody's
		}
		if runs[run] == nil {
			runs[run] = &Leftover{Run: run}
		}
		return runs[run]
	}
	for _, c := range containers.Items {
		l := of(c.Labels)
		l.Containers = append(l.Containers, c.ID)
	}
	for _, n := range networks.Items {
		l := of(n.Labels)
		l.Networks = append(l.Networks, n.ID)
	}
	for _, v := range volumes.Items {
		l := of(v.Labels)
		l.Volumes = append(l.Volumes, v.Name)
	}
	var left []Leftover
	for _, run := range slices.Sorted(maps.Keys(runs)) {
		left = append(left, *runs[run])
	}
	return left, nil
}

// heal removes it: containers first, which use the rest.
func (l Leftover) heal(ctx context.Context, docker *client.Client) error {
	var errs []error
	for _, id := range l.Containers {
		_, err := docker.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		errs = append(errs, ignoreGone(err))
	}
	for _, id := range l.Networks {
		errs = append(errs, insist(ctx, func() error {
			_, err := docker.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
			return err
		}))
	}
	for _, name := range l.Volumes {
		errs = append(errs, insist(ctx, func() error {
			_, err := docker.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
			return err
		}))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove what is left of run %s: %w", l.Run, err)
	}
	return nil
}

// insistFor is how long something may be in use by a container that is being removed.
const insistFor = 10 * time.Second

// insist removes something that a container uses which is about to be gone.
func insist(ctx context.Context, remove func() error) error {
	ctx, cancel := context.WithTimeout(ctx, insistFor)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := remove()
		switch {
		case err == nil || errdefs.IsNotFound(err):
			return nil
		case !errdefs.IsConflict(err) && !errdefs.IsPermissionDenied(err):
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}
