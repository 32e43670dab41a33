package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/nemesis"
	"github.com/fallacy-dev/fallacy/targets/etcd"
	"github.com/fallacy-dev/fallacy/targets/redis"
	"github.com/fallacy-dev/fallacy/targets/refstore"
	"github.com/fallacy-dev/fallacy/workloads"
)

// Catalogue is everything that the command can bring together.
type Catalogue struct {
	Targets   []*fallacy.TargetKind
	Workloads []*fallacy.Workload
	Checkers  []*fallacy.Checker // that judge every run, besides the workload's own
	Faults    []fallacy.Nemesis  // besides those of package nemesis; without a Schedule they come as those do
	Programs  []Program
}

// Program is a command of its own inside the binary, for a target that fallacy
// carries to the nodes itself.
type Program struct {
	Name string
	Main func(args []string) (status int)
}

// Builtin returns what fallacy has by itself. To add to it, add a line.
func Builtin() Catalogue {
	return Catalogue{
		Targets: []*fallacy.TargetKind{
			refstore.Kind,
			etcd.Kind,
			redis.Kind,
		},
		Workloads: []*fallacy.Workload{
			workloads.Register(),
			workloads.VersionedRegister(),
			workloads.Set(),
			workloads.Counter(),
			workloads.Queue(),
			workloads.Stream(),
			workloads.Lock(),
			workloads.Mutex(),
			workloads.Lease(),
			workloads.Watch(),
			workloads.Append(),
			workloads.RWRegister(),
		},
		Programs: []Program{
			{"refstore", refstore.Main},
		},
	}
}

// Validate returns an error that names the first entry that nobody could use or
// look up: without a name, a manual page or its functions, or with a name taken.
func (c Catalogue) Validate() error {
	seen := make(map[string]bool)
	add := func(kind, name, doc string, complete bool) error {
		title, _, _ := strings.Cut(doc, "\n")
		switch {
		case name == "":
			return fmt.Errorf("a %s has no name", kind)
		case seen[kind+name]:
			return fmt.Errorf("there are two %ss called %q", kind, name)
		case title == "":
			return fmt.Errorf("the %s %q has no Doc", kind, name)
		case !complete:
			return fmt.Errorf("the %s %q lacks its functions", kind, name)
		}
		seen[kind+name] = true
		return nil
	}
	var errs []error
	for _, t := range c.Targets {
		errs = append(errs, add("target", t.Name, t.Doc, t.New != nil))
		for _, b := range t.Bugs {
			errs = append(errs, add("bug of "+t.Name, b.Name, b.Doc, len(b.Anomalies) > 0), c.knows(t, b))
		}
	}
	for _, w := range c.Workloads {
		errs = append(errs, add("workload", w.Name, w.Doc, w.Client != nil && w.Generator != nil && len(w.Checkers) > 0))
	}
	for _, f := range c.Faults {
		errs = append(errs, add("fault", f.Name, f.Doc, f.Fault != nil))
	}
	for _, k := range c.Checkers {
		errs = append(errs, add("checker", k.Name, k.Doc, k.Check != nil))
	}
	return errors.Join(errs...)
}

// knows tells whether what exposes a bug exists.
func (c Catalogue) knows(t *fallacy.TargetKind, b fallacy.Bug) error {
	if _, err := c.workload(b.Workload); err != nil {
		return fmt.Errorf("bug %q of %s: %w", b.Name, t.Name, err)
	}
	for _, f := range b.Faults {
		if _, err := c.fault(f, nemesis.Schedule{}); err != nil {
			return fmt.Errorf("bug %q of %s: %w", b.Name, t.Name, err)
		}
	}
	return nil
}

// serves tells what a target's connections lack for a workload; nil if nothing,
// or if it makes none before it runs.
func serves(target fallacy.Target, w *fallacy.Workload) error {
	nowhere := fallacy.Node{Name: "n1", Public: map[string]string{"client": "127.0.0.1:1"}}
	conn, err := target.Open(context.Background(), nowhere)
	if err != nil {
		return nil
	}
	defer func() { _ = conn.Close() }() // it never was anywhere
	_, err = w.ClientOver(conn)
	return err
}

func (c Catalogue) target(name string) (*fallacy.TargetKind, error) {
	return find("target", name, c.Targets, func(t *fallacy.TargetKind) string { return t.Name })
}

func (c Catalogue) workload(name string) (*fallacy.Workload, error) {
	return find("workload", name, c.Workloads, func(w *fallacy.Workload) string { return w.Name })
}

func bugOf(t *fallacy.TargetKind, name string) (fallacy.Bug, error) {
	return find("bug of "+t.Name, name, t.Bugs, func(b fallacy.Bug) string { return b.Name })
}

// find returns the entry called name; without one, an error that suggests what is near.
func find[T any](kind, name string, all []T, nameOf func(T) string) (T, error) {
	var known []string
	for _, one := range all {
		if nameOf(one) == name {
			return one, nil
		}
		known = append(known, nameOf(one))
	}
	var none T
	return none, unknown(kind, name, known)
}

// unknown is the error of a name that does not exist.
func unknown(kind, name string, known []string) error {
	if len(known) == 0 {
		return fmt.Errorf("there is no %s %q: there are none at all", kind, name)
	}
	if near := nearest(name, known); near != "" {
		return fmt.Errorf("there is no %s %q: did you mean %q?", kind, name, near)
	}
	known = slices.Sorted(slices.Values(known))
	return fmt.Errorf("there is no %s %q: there is %s", kind, name, strings.Join(known, ", "))
}
