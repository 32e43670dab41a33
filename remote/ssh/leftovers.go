package ssh

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/fallacy-dev/fallacy/agent/owner"
)

// prefix of the name of a node's directory, below /tmp.
const prefix = "fallacy-ssh-"

// Leftover is the directory of a run on a machine, whose controller is gone.
type Leftover struct {
	Node string
	Dir  string
}

// Heal removes what controllers on this machine have left behind on the machines
// that are named: it ends agents, which heal, and removes their directories.
func (o Options) Heal(ctx context.Context, names []string) ([]Leftover, error) {
	found, errs := make([][]Leftover, len(names)), make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { found[i], errs[i] = o.healOne(ctx, name) })
	}
	all.Wait()
	var healed []Leftover
	for _, f := range found {
		healed = append(healed, f...)
	}
	return healed, errors.Join(errs...)
}

func (o Options) healOne(ctx context.Context, name string) ([]Leftover, error) {
	c, err := o.connect(ctx, name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	n := &node{name: name, connection: c}
	if said, err := n.run(`[ "$(id -u)" = 0 ] || { sudo -n true 2>/dev/null && echo sudo; } || true`, nil); err != nil {
		return nil, err
	} else if strings.TrimSpace(said) == "sudo" {
		n.sudo = "sudo -n "
	}
	left, err := n.leftovers()
	if err != nil {
		return nil, err
	}
	for _, l := range left {
		if err := n.remove(l); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// leftovers finds the directories of controllers that are gone.
func (n *node) leftovers() ([]Leftover, error) {
	said, err := n.run(`for d in /tmp/`+prefix+`*; do [ -f "$d/owner" ] && { echo "$d"; cat "$d/owner"; echo; }; done; true`, nil)
	if err != nil {
		return nil, fmt.Errorf("look for what was left behind: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	var left []Leftover
	for i := 0; i+1 < len(lines); i += 2 {
		if o, ok := owner.Parse(lines[i+1]); ok && o.Dead() {
			left = append(left, Leftover{Node: n.name, Dir: lines[i]})
		}
	}
	return left, nil
}

// remove ends the agent of a directory, waits until it has healed, and removes
// the directory. One that was stopped hears nothing until it goes on.
func (n *node) remove(l Leftover) error {
	_, err := n.run(fmt.Sprintf(`d=%s
for pid in $(cat "$d/agent.pid" 2>/dev/null); do
	tr '\0' ' ' < /proc/$pid/cmdline 2>/dev/null | grep -qF "$d" || continue
	for p in $pid $(cat /proc/$pid/task/*/children 2>/dev/null); do
		tr '\0' ' ' < /proc/$p/cmdline 2>/dev/null | grep -qF "$d/node" && %[2]skill -CONT $p && %[2]skill -TERM $p
	done
	i=0
	while [ -d /proc/$pid ] && [ $i -lt 150 ]; do sleep 0.1; i=$((i+1)); done
done
%[2]srm -rf "$d"`, quote(l.Dir), n.sudo), nil)
	if err != nil {
		return fmt.Errorf("remove %s on %s: %w", l.Dir, n.name, err)
	}
	return nil
}
