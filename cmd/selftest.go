package cmd

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/results"
	"github.com/spf13/cobra"
)

const selftestDoc = `Find out whether fallacy finds what it claims to find.

Every planted bug is run with its own workload and faults, once a seed: one of the
anomalies that it is known to show must be found. Then the store without a bug is
run with every workload under all faults, and must be valid.

It prints a table, and exits with 0 if every bug was found in at least nine of ten
seeds and the correct store was valid in all.`

// selftest is what to run.
type selftest struct {
	catalogue            Catalogue
	seeds, healthy, jobs int
	first                uint64
	time                 time.Duration
	only                 []string
	runs                 string
}

func selftestCommand(c Catalogue) *cobra.Command {
	s := selftest{catalogue: c}
	cmd := &cobra.Command{
		Use:     "selftest",
		Short:   "run every planted bug, and see that it is found",
		Long:    selftestDoc,
		Example: "  fallacy selftest --seeds 1 --healthy 1\n  fallacy selftest --only lost-write,no-fsync\n  fallacy selftest --seeds 10 --healthy 20",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tasks, err := s.tasks()
			if err != nil {
				return err
			}
			outcomes := s.run(cmd.Context(), tasks, newProgress(cmd.ErrOrStderr()))
			return s.table(cmd.OutOrStdout(), outcomes)
		},
	}
	f := cmd.Flags()
	f.IntVar(&s.seeds, "seeds", 10, "runs of each bug")
	f.IntVar(&s.healthy, "healthy", 20, "runs of the store without a bug, workloads in turn")
	f.Uint64Var(&s.first, "first-seed", 1, "the seeds are this one and those that follow")
	f.IntVar(&s.jobs, "jobs", 2, "runs at the same time")
	f.DurationVar(&s.time, "time", defaultRequest().time, "how long each workload runs under faults")
	f.StringSliceVar(&s.only, "only", nil, "these bugs only; none is the store without a bug")
	f.StringVar(&s.runs, "runs", "runs", "directory to keep runs in")
	return cmd
}

// task is one run to be done.
type task struct {
	request
	bug fallacy.Bug // the zero Bug: none
}

func (s selftest) tasks() ([]task, error) {
	c := s.catalogue
	var tasks []task
	for _, t := range c.Targets {
		if len(t.Bugs) == 0 {
			continue // nothing is planted in what others wrote
		}
		for _, b := range t.Bugs {
			if len(s.only) > 0 && !slices.Contains(s.only, b.Name) {
				continue
			}
			for i := range s.seeds {
				r := s.request(t.Name+"/"+b.Workload, i)
				r.bug = b.Name
				tasks = append(tasks, task{r, b})
			}
		}
		if len(s.only) > 0 && !slices.Contains(s.only, "none") {
			continue
		}
		workloads := c.servedBy(t)
		for i := range s.healthy {
			r := s.request(t.Name+"/"+workloads[i%len(workloads)].Name, i)
			r.faults, r.faultsGiven = "all", true
			tasks = append(tasks, task{r, fallacy.Bug{}})
		}
	}
	for i := range tasks {
		if _, err := c.prepare(tasks[i].request); err != nil {
			return nil, err
		}
	}
	for _, name := range s.only {
		if !slices.ContainsFunc(tasks, func(t task) bool { return t.bug.Name == name }) && name != "none" {
			return nil, unknown("bug", name, c.bugNames())
		}
	}
	return tasks, nil
}

// servedBy are the workloads that a target serves, as far as can be told.
func (c Catalogue) servedBy(t *fallacy.TargetKind) []*fallacy.Workload {
	target, err := t.New(fallacy.TargetOptions{Nodes: 5, Seed: 1})
	if err != nil {
		return c.Workloads
	}
	return slices.DeleteFunc(slices.Clone(c.Workloads), func(w *fallacy.Workload) bool { return serves(target, w) != nil })
}

func (s selftest) request(what string, i int) request {
	r := defaultRequest()
	r.what, r.seed, r.time, r.runs = what, s.first+uint64(i), s.time, s.runs
	return r
}

// outcome is what came of a task.
type outcome struct {
	task
	run  results.Run
	dir  string
	err  error
	took time.Duration
}

// found tells whether the run came to what was expected of it.
func (o outcome) found() bool {
	if o.err != nil {
		return false
	}
	if o.task.bug.Name == "" {
		return o.run.Verdict == fallacy.Valid
	}
	return o.run.Verdict == fallacy.Invalid && len(o.shown()) > 0
}

// shown are the expected anomalies that were found.
func (o outcome) shown() (names []string) {
	for _, f := range o.run.Findings {
		for _, a := range f.Anomalies {
			if slices.Contains(o.task.bug.Anomalies, a.Name) && !slices.Contains(names, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	return names
}

// run does all tasks, several at a time.
func (s selftest) run(ctx context.Context, tasks []task, p *progress) []outcome {
	outcomes := make([]outcome, len(tasks))
	var wg sync.WaitGroup
	next := make(chan int)
	for range max(1, s.jobs) {
		wg.Go(func() {
			for i := range next {
				outcomes[i] = tasks[i].do(ctx, s.catalogue)
				p.say("%s", outcomes[i].line(i+1, len(tasks)))
			}
		})
	}
	for i := range tasks {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	return slices.DeleteFunc(outcomes, func(o outcome) bool { return o.what == "" })
}

func (t task) do(ctx context.Context, c Catalogue) outcome {
	o := outcome{task: t}
	trial, err := c.prepare(t.request)
	if err != nil {
		o.err = err
		return o
	}
	began := time.Now()
	o.run, o.dir, o.err = trial.run(ctx, nil)
	o.took = time.Since(began)
	return o
}

func (o outcome) line(i, n int) string {
	text := fmt.Sprintf("%d/%d %s", i, n, o.what)
	if o.task.bug.Name != "" {
		text += " --bug " + o.task.bug.Name
	}
	text += fmt.Sprintf(" --seed %d: ", o.seed)
	switch {
	case o.err != nil:
		return text + o.err.Error()
	case o.found() && o.task.bug.Name != "":
		text += "found: " + strings.Join(o.shown(), ", ")
	case o.found():
		text += "valid"
	default:
		text += fmt.Sprintf("NOT AS EXPECTED: %s %s", o.run.Verdict, o.run.Reason)
	}
	return text + fmt.Sprintf(" (%v) %s", o.took.Round(time.Second), o.dir)
}

// table prints what came of the tasks, and judges it.
func (s selftest) table(w io.Writer, outcomes []outcome) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "BUG\tWORKLOAD\tFAULTS\tAS EXPECTED\tSHOWN AS")
	worst := fallacy.Valid
	for len(outcomes) > 0 {
		name := outcomes[0].task.bug.Name
		n := slices.IndexFunc(outcomes, func(o outcome) bool { return o.task.bug.Name != name })
		if n < 0 {
			n = len(outcomes)
		}
		if !row(table, outcomes[:n]) {
			worst = fallacy.Invalid
		}
		outcomes = outcomes[n:]
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return judged(worst)
}

// row prints the line of one bug, and tells whether it was found often enough:
// nine times of ten. The store without a bug must be valid every time.
func row(w io.Writer, outcomes []outcome) (enough bool) {
	first := outcomes[0]
	found, shown := 0, []string{}
	for _, o := range outcomes {
		if o.found() {
			found++
		}
		for _, a := range o.shown() {
			if !slices.Contains(shown, a) {
				shown = append(shown, a)
			}
		}
	}
	bug, workload, faults := first.task.bug.Name, first.task.bug.Workload, strings.Join(first.task.bug.Faults, ",")
	enough = found*10 >= len(outcomes)*9
	if bug == "" {
		bug, workload, faults, shown = "none", "every one", "all", []string{"valid"}
		enough = found == len(outcomes)
	}
	if faults == "" {
		faults = "none"
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s of %s\t%s\n", bug, workload, faults, strconv.Itoa(found), strconv.Itoa(len(outcomes)), strings.Join(shown, ", "))
	return enough
}
