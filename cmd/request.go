package cmd

import (
	crand "crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/nemesis"
)

// request is a run as somebody asked for it.
type request struct {
	what string // TARGET[/WORKLOAD]
	place
	nodes       string
	faults      string
	faultsGiven bool // rather than left to the default
	concurrency string
	rate        float64
	time        time.Duration
	opTimeout   time.Duration
	recovery    time.Duration
	quiet       time.Duration
	fault       time.Duration
	seed        uint64
	bug         string
	topology    string
	plan        string
	runs        string
	checkers    []string // programs that judge as well
}

// defaults of a request, as the flags have them.
func defaultRequest() request {
	return request{
		what: "refstore/register", place: place{on: "local"}, nodes: "5", faults: defaultFaults, concurrency: "2n", rate: 400,
		time: 20 * time.Second, opTimeout: time.Second, recovery: 15 * time.Second,
		quiet: 2500 * time.Millisecond, fault: 1500 * time.Millisecond, runs: "runs",
	}
}

const (
	defaultFaults = "partition,kill,pause,clock"
	// faultsMax bounds how many nemeses a run may have.
	faultsMax = 32
	nodesMax  = 99
)

// trial is a request that was found to make sense.
type trial struct {
	request
	kind     *fallacy.TargetKind
	typed    string // how the target was named
	target   fallacy.Target
	test     fallacy.Test
	names    []string // of the nodes
	faulty   []fallacy.Nemesis
	optional bool // faults that the remote cannot have may be left out
	extra    []*fallacy.Checker
}

// prepare finds what the request names, and refuses what contradicts itself,
// before anything is started.
func (c Catalogue) prepare(r request) (*trial, error) {
	own, err := c.checkersNamed(r.checkers)
	if err != nil {
		return nil, err
	}
	t := &trial{request: r, extra: slices.Concat(c.Checkers, own)}
	workloadName, usual, err := t.named(c)
	if err != nil {
		return nil, err
	}
	bug, err := t.bugAsked()
	if err != nil {
		return nil, err
	}
	if workloadName == "" {
		if workloadName = bug.Workload; workloadName == "" {
			workloadName = usual
		}
	}
	workload, err := c.workload(workloadName)
	if err != nil {
		return nil, err
	}
	if t.names, err = nodeNames(r.nodes); err != nil {
		return nil, err
	}
	if r.seed == 0 {
		t.seed = randomSeed()
	}
	t.target, err = t.kind.New(fallacy.TargetOptions{Nodes: len(t.names), Bug: r.bug, Topology: r.topology, Seed: t.seed})
	if err != nil {
		return nil, err
	}
	if err := r.check(t.target); err != nil {
		return nil, err
	}
	if slices.Contains(c.Targets, t.kind) {
		if err := serves(t.target, workload); err != nil {
			return nil, fmt.Errorf("%s does not serve the workload %s: %w", t.kind.Name, workload.Name, err)
		}
	}
	concurrency, err := parseConcurrency(r.concurrency, len(t.names))
	if err != nil {
		return nil, err
	}
	if err := r.times(); err != nil {
		return nil, err
	}
	if bug.Name != "" {
		t.suit(bug)
	}
	if t.faulty, err = t.nemeses(c); err != nil {
		return nil, err
	}
	t.test = fallacy.Test{
		Name: t.kind.Name + "/" + workload.Name, Target: t.target, Workload: workload, Nemeses: t.faulty,
		Concurrency: concurrency, Rate: r.rate, Time: t.time, OpTimeout: r.opTimeout, Recovery: r.recovery, Seed: t.seed,
	}
	return t, nil
}

func (t *trial) bugAsked() (fallacy.Bug, error) {
	if t.bug == "" {
		return fallacy.Bug{}, nil
	}
	return bugOf(t.kind, t.bug)
}

// suit makes of what nobody asked for what brings the bug out: its own faults,
// one after the other rather than now and then.
func (t *trial) suit(bug fallacy.Bug) {
	was := defaultRequest()
	if t.quiet == was.quiet && t.fault == was.fault {
		t.quiet, t.fault = 1200*time.Millisecond, 1800*time.Millisecond
	}
	if t.faultsGiven {
		return
	}
	if t.faults = strings.Join(bug.Faults, ","); t.faults == "" {
		t.faults = "none"
	}
}

func (r request) times() error {
	for _, d := range []struct {
		flag string
		is   time.Duration
		zero bool
	}{
		{"--time", r.time, false}, {"--op-timeout", r.opTimeout, false}, {"--recovery", r.recovery, true},
		{"--quiet-time", r.quiet, false}, {"--fault-time", r.fault, false},
	} {
		if d.is < 0 || d.is == 0 && !d.zero {
			return fmt.Errorf("%s is %v: it must be positive, as in 15s or 2m", d.flag, d.is)
		}
	}
	if r.rate < 0 {
		return fmt.Errorf("--rate is %v: it must be positive, or 0 for as fast as they can", r.rate)
	}
	return nil
}

// nodeNames reads "5" or "n1,n2,n3".
func nodeNames(text string) ([]string, error) {
	if n, err := strconv.Atoi(text); err == nil {
		if n < 1 || n > nodesMax {
			return nil, fmt.Errorf("--nodes is %d: there can be 1 to %d", n, nodesMax)
		}
		names := make([]string, n)
		for i := range names {
			names[i] = "n" + strconv.Itoa(i+1)
		}
		return names, nil
	}
	names := strings.Split(text, ",")
	for i, n := range names {
		if n == "" || strings.ContainsAny(n, "/\\+: ") || n == fallacy.Clients || n == "." || n == ".." {
			return nil, fmt.Errorf("--nodes %s: %q is no name for a node: use a number, or names such as n1,n2,n3", text, n)
		}
		if slices.Contains(names[:i], n) {
			return nil, fmt.Errorf("--nodes %s: there are two nodes called %s", text, n)
		}
	}
	return names, nil
}

// parseConcurrency reads "10" or "2n", n being the number of nodes.
func parseConcurrency(text string, nodes int) (int, error) {
	number, perNode := strings.CutSuffix(text, "n")
	if number == "" && perNode {
		number = "1"
	}
	n, err := strconv.Atoi(number)
	if perNode {
		n *= nodes
	}
	if err != nil || n < 1 || n > 10_000 {
		return 0, fmt.Errorf("--concurrency is %q: use a number from 1 to 10000, or one a node such as 2n", text)
	}
	return n, nil
}

// randomSeed draws the one thing that no seed fixes.
func randomSeed() uint64 {
	var b [8]byte
	_, _ = crand.Read(b[:]) // never fails
	// Short enough to be typed.
	return 1 + binary.LittleEndian.Uint64(b[:])%999_999
}

// nemeses makes what --faults or --plan asks for.
func (t *trial) nemeses(c Catalogue) ([]fallacy.Nemesis, error) {
	if t.plan != "" {
		return t.planned()
	}
	t.optional = !t.faultsGiven || t.faults == "all"
	schedule := nemesis.Schedule{Quiet: t.quiet, Fault: t.fault}
	var all []fallacy.Nemesis
	for _, name := range t.faultNames() {
		n, err := c.fault(name, schedule)
		var missing *nemesis.UnknownError
		switch {
		case errors.As(err, &missing):
			return nil, fmt.Errorf("%w; fallacy list faults shows all", unknown(missing.Kind, missing.Name, missing.Known))
		case err != nil:
			return nil, err
		case slices.ContainsFunc(all, func(o fallacy.Nemesis) bool { return o.Name == name }):
			return nil, fmt.Errorf("--faults %s: %s stands there twice", t.faults, name)
		}
		if err := t.fits(n); err != nil {
			if !t.optional {
				return nil, err
			}
			continue
		}
		all = append(all, n)
	}
	if len(all) > faultsMax {
		return nil, fmt.Errorf("--faults names %d faults: at most %d", len(all), faultsMax)
	}
	return all, nil
}

func (t *trial) faultNames() []string {
	switch t.faults {
	case "none", "":
		return nil
	case "all":
		var names []string
		for _, f := range nemesis.Families() {
			names = append(names, f.Name)
		}
		return names
	}
	return strings.Split(t.faults, ",")
}

// fits tells whether the target and the number of nodes allow for n.
func (t *trial) fits(n fallacy.Nemesis) error {
	if fewest := nemesis.FewestNodes(n.Name); len(t.names) < fewest {
		return fmt.Errorf("%s needs at least %d nodes, and there are %d", n.Name, fewest, len(t.names))
	}
	if _, ok := t.target.(fallacy.Primaries); !ok && slices.Contains(n.Needs, fallacy.NeedPrimaries) {
		return fmt.Errorf("%s needs a target that tells who leads, and %s does not", n.Name, t.kind.Name)
	}
	if _, ok := t.target.(fallacy.Membership); !ok && slices.Contains(n.Needs, fallacy.NeedMembers) {
		return fmt.Errorf("%s needs a target whose members can be removed and added, and %s does not offer it", n.Name, t.kind.Name)
	}
	return t.canDo(n)
}

// canDo tells whether the target has the tasks that n needs.
func (t *trial) canDo(n fallacy.Nemesis) error {
	tasks := map[string]fallacy.Task{}
	if m, ok := t.target.(fallacy.Maintenance); ok {
		tasks = m.Tasks()
	}
	for _, need := range []fallacy.Need{fallacy.NeedCompact, fallacy.NeedDefrag} {
		if slices.Contains(n.Needs, need) && tasks[string(need)] == nil {
			return fmt.Errorf("%s needs a target whose administrator can %s it, and that of %s cannot", n.Name, need, t.kind.Name)
		}
	}
	return nil
}

// planned reads the faults from a file.
func (t *trial) planned() ([]fallacy.Nemesis, error) {
	if t.faultsGiven {
		return nil, errors.New("--plan and --faults contradict each other: a plan says which faults there are")
	}
	text, err := os.ReadFile(t.plan)
	if err != nil {
		return nil, err
	}
	var p nemesis.Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("read the plan %s: %w", t.plan, err)
	}
	all, err := p.Nemeses()
	if err != nil {
		return nil, fmt.Errorf("the plan %s: %w", t.plan, err)
	}
	for _, n := range all {
		if err := t.canDo(n); err != nil {
			return nil, fmt.Errorf("the plan %s: %w", t.plan, err)
		}
	}
	for _, e := range p.Events {
		t.time = max(t.time, e.At)
		for node := range e.Conditions {
			if node != fallacy.Clients && !slices.Contains(t.names, node) {
				return nil, fmt.Errorf("the plan %s is about a node %s, and the nodes are %s: see --nodes", t.plan, node, strings.Join(t.names, ", "))
			}
		}
	}
	if p.Time > 0 {
		t.time = max(t.time, p.Time)
	}
	t.faults = ""
	return all, nil
}
