package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/remote/docker"
	"github.com/fallacy-dev/fallacy/remote/local"
	"github.com/fallacy-dev/fallacy/remote/ssh"
	"github.com/spf13/pflag"
)

// remotes are what --on takes.
func remotes() []string { return []string{"local", "docker", "ssh"} }

// place is where the nodes of a run are, and what they are made of.
type place struct {
	on     string
	image  string
	binary string
	ipv6   bool
	ssh    ssh.Options // how to reach machines
}

// passwordVariable is where a password comes from: a flag would show in the
// table of processes.
const passwordVariable = "FALLACY_SSH_PASSWORD"

func (p *place) flags(f *pflag.FlagSet) {
	f.StringVar(&p.on, "on", p.on, "where the nodes are: local, docker, or ssh with the machines' names as --nodes")
	f.StringVar(&p.image, "image", "", "docker: what containers are made from, NAME[:TAG], or host for the programs installed here")
	f.StringVar(&p.binary, "binary", "", "file of a program to run as the target's; a static one in containers")
	f.BoolVar(&p.ipv6, "ipv6", false, "docker: nodes reach each other by IPv6")
	p.sshFlags(f)
}

func (p *place) sshFlags(f *pflag.FlagSet) {
	f.StringVar(&p.ssh.Key, "ssh-key", "", "ssh: file of a private key; without it those that ssh would try")
	f.StringVar(&p.ssh.User, "ssh-user", "", "ssh: who to log in as")
	f.IntVar(&p.ssh.Port, "ssh-port", 0, "ssh: port of the machines' sshd")
	f.StringVar(&p.ssh.Jump, "ssh-jump", "", "ssh: hosts to go through, [USER@]HOST[:PORT], comma-separated")
	f.StringVar(&p.ssh.Config, "ssh-config", "", "ssh: file of the configuration, instead of ~/.ssh/config")
	f.StringVar(&p.ssh.KnownHosts, "ssh-known-hosts", "", "ssh: file of the keys of known hosts, instead of those of the configuration")
}

// sshNamed tells whether anything was said that is about SSH.
func (p place) sshNamed() bool {
	o := p.ssh
	return o.Key != "" || o.User != "" || o.Port != 0 || o.Jump != "" || o.Config != "" || o.KnownHosts != ""
}

// sshOptions is how to reach machines, with what to run there.
func (p place) sshOptions() ssh.Options {
	o := p.ssh
	o.Password, o.Program = os.Getenv(passwordVariable), p.binary
	return o
}

// check refuses what contradicts itself.
func (p place) check(target fallacy.Target) error {
	if !slices.Contains(remotes(), p.on) {
		return unknown("remote", p.on, remotes())
	}
	if p.on != "docker" && (p.image != "" || p.ipv6) {
		return fmt.Errorf("--image and --ipv6 are about containers: they go with --on docker, not with --on %s", p.on)
	}
	if p.on != "ssh" && p.sshNamed() {
		return fmt.Errorf("the flags that begin with --ssh- go with --on ssh, not with --on %s", p.on)
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
	add("--ssh-key", p.ssh.Key, p.ssh.Key == "")
	add("--ssh-user", p.ssh.User, p.ssh.User == "")
	add("--ssh-port", strconv.Itoa(p.ssh.Port), p.ssh.Port == 0)
	add("--ssh-jump", p.ssh.Jump, p.ssh.Jump == "")
	add("--ssh-config", p.ssh.Config, p.ssh.Config == "")
	add("--ssh-known-hosts", p.ssh.KnownHosts, p.ssh.KnownHosts == "")
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
			Ports: ports, Packets: t.onPackets(), Clocks: t.onClocks(), IPv6: t.ipv6, Note: note,
		})
	}
	if t.on == "ssh" {
		if _, err := strconv.Atoi(t.nodes); err == nil {
			return nil, errors.New("--on ssh needs the names of machines: --nodes n1,n2,n3, each as ssh knows it")
		}
		o := t.sshOptions()
		o.Binary, o.Args, o.Target, o.Packets = self, []string{"agent"}, image, t.onPackets()
		d, err := ssh.New(o)
		if err != nil {
			return nil, err
		}
		note("getting " + strings.Join(t.names, ", ") + " ready")
		if err := d.Prepare(ctx, t.names); err != nil {
			return nil, errors.Join(err, d.Close())
		}
		return d, nil
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

// onClocks tells whether the agents are to have the capability that it takes to skew
// the clock of a server which an image's entrypoint runs as another user.
func (t *trial) onClocks() bool {
	return slices.ContainsFunc(t.test.Nemeses, func(n fallacy.Nemesis) bool {
		return slices.Contains(n.Needs, fallacy.NeedClock)
	})
}

// onPackets tells whether the agents are to act on packets, and have the capability
// that it takes: for faults that are better made of packets than of connections,
// and for servers that others wrote, whose members know each other by one address.
func (t *trial) onPackets() bool {
	if _, others := t.target.(fallacy.Images); others {
		return true
	}
	return slices.ContainsFunc(t.test.Nemeses, func(n fallacy.Nemesis) bool {
		return slices.Contains(n.Needs, fallacy.NeedLinks) || slices.Contains(n.Needs, fallacy.NeedPackets)
	})
}
