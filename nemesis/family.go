package nemesis

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// The fallacies of distributed computing (Deutsch, Gosling), as far as there are
// faults here that punish them, and what their list forgets.
const (
	reliable          = "the network is reliable"
	zeroLatency       = "latency is zero"
	infiniteBandwidth = "bandwidth is infinite"
	stableTopology    = "topology does not change"
	oneAdministrator  = "there is one administrator"
	machinesFail      = "machines do not fail"
)

// Family is a way to misbehave.
type Family struct {
	Name     string
	Doc      string // first a title line, then a blank line, then the manual page
	Fallacy  string // which it punishes
	Needs    []fallacy.Need
	Nodes    int // the fewest nodes that it makes sense with; 0: any number
	Variants []Variant

	choose choose             // without a variant
	named  func(pick) Variant // with nodes by name in place of a variant; nil: it takes none
	// carriesOut makes under a name the fault of what is chosen, with so many tries to
	// choose; nil: what is chosen is imposed.
	carriesOut func(name string, choose choose, tries int) fallacy.Fault
}

// Variant is a shape of a family's misbehaviour.
type Variant struct {
	Name   string // behind the colon
	Doc    string // a line
	Nodes  int    // the fewest that it makes sense with; 0: one
	needs  []fallacy.Need
	choose choose
	named  func(pick) Variant // with who is to be hit behind a second colon; nil: it takes none
}

// Families are all that there are, in the order of the fallacies.
func Families() []*Family {
	return []*Family{
		partition(),
		reset(),
		stall(),
		packet(),
		delay(),
		processFault("pause", pauseDoc, zeroLatency, fallacy.Paused),
		rate(),
		processFault("restart", restartDoc, stableTopology, fallacy.Terminated),
		membership(),
		clock(),
		task("compact", compactDoc, fallacy.NeedCompact, some(func(int) int { return 1 })),
		task("defrag", defragDoc, fallacy.NeedDefrag, random),
		processFault("kill", killDoc, machinesFail, fallacy.Killed),
	}
}

// New returns the nemesis that name asks for, "kill" or "partition:bridge", with
// a schedule. The error says which names there are.
func New(name string, schedule Schedule) (fallacy.Nemesis, error) {
	parts := strings.Split(name, ":")
	f, ok := familyOf(name)
	if !ok {
		return fallacy.Nemesis{}, &UnknownError{Kind: "fault", Name: name, Known: Names()}
	}
	chosen := Variant{choose: f.choose, named: f.named}
	if len(parts) > 1 {
		var err error
		if chosen, err = f.variant(name, parts[1:]); err != nil {
			return fallacy.Nemesis{}, err
		}
	}
	return fallacy.Nemesis{
		Name: name, Doc: f.Doc, Fallacy: f.Fallacy,
		Needs:    append(slices.Clone(f.Needs), chosen.needs...),
		Fault:    f.fault(name, chosen.choose, f.tries()),
		Schedule: schedule.Generator(),
	}, nil
}

// FewestNodes returns with how many nodes the fault makes sense that name asks for; 1
// if there is none of that name.
func FewestNodes(name string) int {
	f, ok := familyOf(name)
	if !ok {
		return 1
	}
	fewest := max(1, f.Nodes)
	_, variant, _ := strings.Cut(name, ":")
	for _, v := range f.Variants {
		if v.Name == variant {
			fewest = max(fewest, v.Nodes)
		}
	}
	return fewest
}

// familyOf finds the family of a nemesis by that one's name.
func familyOf(name string) (*Family, bool) {
	family, _, _ := strings.Cut(name, ":")
	all := Families()
	i := slices.IndexFunc(all, func(f *Family) bool { return f.Name == family })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}

// fault is the family's fault, of what is chosen, with so many tries to choose.
func (f *Family) fault(name string, choose choose, tries int) fallacy.Fault {
	if f.carriesOut != nil {
		return f.carriesOut(name, choose, tries)
	}
	return imposed{name, choose, tries}
}

// tries is how often a fault may choose anew. Links are there whatever becomes
// of the processes.
func (f *Family) tries() int {
	if slices.Contains(f.Needs, fallacy.NeedLinks) || slices.Contains(f.Needs, fallacy.NeedPackets) {
		return 1
	}
	return 4
}

// variant finds what stands behind the family's name.
func (f *Family) variant(name string, parts []string) (Variant, error) {
	unknown := &UnknownError{Kind: "fault", Name: name, Known: f.names()}
	if len(parts) > 2 {
		return Variant{}, unknown
	}
	chosen := Variant{named: f.named}
	for _, part := range parts {
		i := slices.IndexFunc(f.Variants, func(v Variant) bool { return v.Name == part })
		switch {
		case i >= 0 && chosen.choose == nil:
			chosen = f.Variants[i]
		case chosen.named != nil:
			p, ok := pickNamed(part)
			if !ok {
				return Variant{}, unknown
			}
			chosen = chosen.named(p)
		default:
			return Variant{}, unknown
		}
	}
	return chosen, nil
}

func (f *Family) names() []string {
	names := []string{f.Name}
	for _, v := range f.Variants {
		names = append(names, f.Name+":"+v.Name)
	}
	return names
}

// Names returns the names of all families with all their variants.
func Names() []string {
	var all []string
	for _, f := range Families() {
		all = append(all, f.names()...)
	}
	return all
}

// UnknownError is a name that does not exist, with those that do.
type UnknownError struct {
	Kind  string // "fault"
	Name  string
	Known []string
}

// Error names the name, and not what there is: who prints it knows what is near.
func (e *UnknownError) Error() string { return fmt.Sprintf("there is no %s %q", e.Kind, e.Name) }
