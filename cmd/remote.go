package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/docker"
	"github.com/fallacy-dev/fallacy/remote/local"
	"github.com/spf13/pflag"
)

// remotes are what --on takes.
func remotes() []string { return []string{"local", "docker"} }

// place is where the nodes of a run are, and what they are made of.
type place struct {
	on     string
	image  string
	binary string
	ipv6   bool
}

func (p *place) flags(f *pflag.FlagSet) {
	f.StringVar(&p.on, "on", p.on, "where the nodes are: local, or docker")
	f.StringVar(&p.image, "image", "", "docker: what containers are made from, NAME[:TAG], or host for the programs installed here")
	f.StringVar(&p.binary, "binary", "", "file of a program to run as the target's; a static one in containers")
	f.BoolVar(&p.ipv6, "ipv6", false, "docker: nodes reach each other by IPv6")
}

// check refuses what contradicts itself.
func (p place) check(target fallacy.Target) error {
	if !slices.Contains(remotes(), p.on) {
		return unknown("remote", p.on, remotes())
	}
	if p.on != "docker" && (p.image != "" || p.ipv6) {
		return fmt.Errorf("--image and --ipv6 are about containers: they go with --on docker, not with --on %s", p.on)
	}
	if _, ok := target.(fallacy.Images); !ok && (p.binary != "" || p.image == docker.Host) {
		return errors.New("--binary and --image host name the target's programs, and this target is part of fallacy's own binary")
	}
	return nil
}

// command is how to type it again.
func (p place) command(add func(flag, value string, same bool)) {
	add("--on", p.on, p.on == "local")
	add("--image", p.image, p.image == "")
	add("--binary", p.binary, p.binary == "")
	add("--ipv6", "", !p.ipv6)
}

// dial returns the dialer for the trial's place.
func (t *trial) dial(ctx context.Context, ports []string, note func(string)) (remote.Dialer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find fallacy's own binary: %w", err)
	}
	var image fallacy.Image
	if target, ok := t.target.(fallacy.Images); ok {
		image = target.Image()
	}
	if t.on == "docker" {
		return docker.New(ctx, docker.Options{
			Binary: self, Args: []string{"agent"}, Image: t.image, Target: image, Program: t.binary,
			Ports: ports, Packets: t.onPackets(), IPv6: t.ipv6, Note: note,
		})
	}
	d, err := local.New(self, "agent")
	if err != nil {
		return nil, err
	}
	if t.binary != "" {
		if err := d.Provide(t.binary, image); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

// onPackets tells whether a fault of the trial is better made of packets than of
// connections: only then are the agents to have the capability.
func (t *trial) onPackets() bool {
	return slices.ContainsFunc(t.test.Nemeses, func(n fallacy.Nemesis) bool {
		return slices.Contains(n.Needs, fallacy.NeedLinks) || slices.Contains(n.Needs, fallacy.NeedPackets)
	})
}
