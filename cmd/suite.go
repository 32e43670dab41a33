package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/results"
	"github.com/fallacy-dev/fallacy/suite"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const suiteDoc = `Run all tests of a file, and say what came of them.

The file is YAML: a list of tests, each with the parameters of "fallacy run" by
the names of its flags, and of matrices of them. --schema prints its JSON Schema.

  name: nightly
  parallel: 2                         # tests at a time
  budget: 30m                         # after which none is started
  defaults: {time: 20s}
  tests:
    - matrix:
        target: [refstore]
        workload: [register, append]
        faults: [partition, [kill, pause], all]
      exclude:
        - {workload: append, faults: all}
    - {target: refstore, workload: register, bug: stale-read, expect: invalid}

A test is as expected if it comes to the verdict that it is expected to come to,
valid if nothing is said. That a configuration known to be bad passes is news.
What cannot be run, fallacy's own trouble, is tried again (retries) and said;
nothing else is ever repeated in secret.

Outcomes are kept in --out as the tests end: outcomes.jsonl, at last summary.json
and index.html, and the runs themselves. After Ctrl-C, or a crash, --resume goes
on there. With --repeat each test is run several times, with another seed each,
and the share of invalid runs is told with its confidence interval; --baseline
compares that to the summary.json of an earlier time, which also balances shards.

Exit codes: 0 all as expected, 1 some other verdict than expected, 3 some test
could not be run, 2 some verdict unknown or test left undone; 1 before 3 before 2.`

const suiteExamples = `  fallacy suite nightly.yaml
  fallacy suite nightly.yaml --list
  fallacy suite nightly.yaml --repeat 20 --baseline last/summary.json
  fallacy suite nightly.yaml --junit junit.xml --markdown summary.md
  fallacy suite nightly.yaml --shard 2/5 --out shard-2
  fallacy merge shard-1 shard-2 shard-3 shard-4 shard-5 --out all
  fallacy suite nightly.yaml --k8s --shards 20 --k8s-image registry/fallacy --upload s3://results`

// suiteRequest is a suite as somebody asked for it.
type suiteRequest struct {
	catalogue Catalogue
	path      string
	out       string
	baseline  string
	upload    string
	shard     string
	repeat    int
	parallel  int
	seed      uint64
	budget    time.Duration
	failFast  bool
	resume    bool
	list      bool
	schema    bool
	k8s       bool
	job       suite.Job
	outputs   suiteOutputs
}

func suiteCommand(c Catalogue) *cobra.Command {
	s := suiteRequest{catalogue: c}
	cmd := &cobra.Command{
		Use:     "suite FILE.yaml",
		Short:   "run all tests of a file",
		Long:    suiteDoc,
		Example: suiteExamples,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case s.schema:
				_, err := cmd.OutOrStdout().Write(suite.Schema(c.suiteFlags()))
				return err
			case len(args) == 0:
				return errors.New("which suite? give its file, or --schema for what such a file is made of")
			}
			s.path = args[0]
			return s.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	s.flags(cmd.Flags())
	return cmd
}

func (s *suiteRequest) flags(f *pflag.FlagSet) {
	f.StringVar(&s.out, "out", "", "directory to keep everything in (default runs/suites/NAME/TIME)")
	f.BoolVar(&s.resume, "resume", false, "go on with what is in --out, if there is anything")
	f.BoolVar(&s.list, "list", false, "print the tests, and run none")
	f.BoolVar(&s.schema, "schema", false, "print the JSON Schema of suite files")
	f.IntVar(&s.parallel, "parallel", 0, "slots; instead of the file's")
	f.IntVar(&s.repeat, "repeat", 0, "times to run each test; instead of the file's")
	f.Uint64Var(&s.seed, "seed", 0, "from which tests without a seed draw theirs; instead of the file's")
	f.DurationVar(&s.budget, "budget", 0, "after which no test is started; instead of the file's")
	f.BoolVar(&s.failFast, "fail-fast", false, "start no test after the first that is not as expected")
	f.StringVar(&s.baseline, "baseline", "", "summary.json of an earlier time: what changed since, how long tests take")
	f.StringVar(&s.shard, "shard", "", "run one part of several: 2/5, or auto/5 for the part that JOB_COMPLETION_INDEX or CI_NODE_INDEX says")
	f.StringVar(&s.upload, "upload", "", "bucket to copy --out to at the end: s3://NAME?region=…, file:///DIRECTORY")
	f.BoolVar(&s.k8s, "k8s", false, "print a Kubernetes Job that runs the suite in --shards pods, and run nothing")
	f.IntVar(&s.job.Shards, "shards", 1, "with --k8s: pods")
	f.StringVar(&s.job.Image, "k8s-image", "", "with --k8s: image whose entrypoint is fallacy")
	f.StringVar(&s.job.Claim, "k8s-claim", "", "with --k8s: PersistentVolumeClaim to write to, instead of --upload")
	f.StringVar(&s.job.CPU, "k8s-cpu", "2", "with --k8s: processors of a pod")
	f.StringVar(&s.job.Memory, "k8s-memory", "4Gi", "with --k8s: memory of a pod")
	s.outputs.flags(f)
}

// suiteFlags are the flags of a run that a suite's tests can be told.
func (c Catalogue) suiteFlags() []string {
	var names []string
	runCommand(c).Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return suite.Flags(names)
}

// requestOf is a run as a suite's test asks for it.
func (c Catalogue) requestOf(test suite.Case, runs string) (request, error) {
	r := defaultRequest()
	cmd := &cobra.Command{}
	r.flags(cmd, c)
	if err := cmd.ParseFlags(test.Args()[1:]); err != nil {
		return r, err
	}
	r.what, r.runs, r.faultsGiven = test.What(), runs, cmd.Flags().Changed("faults")
	return r, nil
}

func (s *suiteRequest) run(ctx context.Context, stdout, stderr io.Writer) error {
	text, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	f, err := suite.Parse(s.path, text, s.catalogue.suiteFlags())
	if err != nil {
		return err
	}
	s.override(f)
	cases, err := s.cases(f)
	if err != nil {
		return err
	}
	if s.k8s {
		s.job.Bucket = s.upload
		return f.WriteKubernetes(stdout, text, s.job)
	}
	shard, err := suite.ParseShard(s.shard, nil)
	if err != nil {
		return err
	}
	past, pastText, err := s.past()
	if err != nil {
		return err
	}
	cases = shard.Take(cases, past.Durations())
	if s.list {
		for _, c := range cases {
			fmt.Fprintf(stdout, "%s: %s\n", c.Expect, c.ID())
		}
		return nil
	}
	dir, err := s.open(suite.HeadOf(f, text, shard, len(cases), pastText))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // every outcome was synced
	outcomes, err := dir.Outcomes()
	if err != nil {
		return err
	}
	p := newProgress(stderr)
	left := suite.Left(cases, outcomes)
	p.say("%s: of %d tests %d were done before: %s", f.Name, len(cases), len(cases)-len(left), dir.Path())
	ended := s.runner(f, dir, p).Run(ctx, left)
	return s.finish(context.WithoutCancel(ctx), dir, past, ended, stdout)
}

// override puts what the command line says in place of what the file says.
func (s *suiteRequest) override(f *suite.File) {
	if s.repeat > 0 {
		f.Repeat = s.repeat
	}
	if s.parallel > 0 {
		f.Parallel = s.parallel
	}
	if s.seed > 0 {
		f.Seed = s.seed
	}
	if s.budget > 0 {
		f.Budget = s.budget
	}
}

// cases are the suite's tests, each of which is found to make sense.
func (s *suiteRequest) cases(f *suite.File) ([]suite.Case, error) {
	cases, err := f.Cases()
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		r, err := s.catalogue.requestOf(c, "")
		if err == nil {
			_, err = s.catalogue.prepare(r)
		}
		if err != nil {
			return nil, f.ErrorAt(c, err)
		}
	}
	return cases, nil
}

func (s *suiteRequest) past() (suite.Summary, []byte, error) {
	if s.baseline == "" {
		return suite.Summary{}, nil, nil
	}
	text, err := os.ReadFile(s.baseline)
	if err != nil {
		return suite.Summary{}, nil, err
	}
	past, err := suite.ReadSummary(s.baseline)
	return past, text, err
}

func (s *suiteRequest) open(head suite.Head) (*suite.Dir, error) {
	if s.out == "" {
		if s.resume {
			return nil, errors.New("--resume goes on in the directory that --out names: say which")
		}
		s.out = filepath.Join("runs", "suites", head.Name, time.Now().UTC().Format("20060102T150405.000Z"))
	}
	if s.resume {
		if _, err := os.Stat(s.out); err == nil {
			return suite.Resume(s.out, head)
		}
	}
	return suite.Create(s.out, head)
}

func (s *suiteRequest) runner(f *suite.File, dir *suite.Dir, p *progress) *suite.Runner {
	return &suite.Runner{
		Do: func(ctx context.Context, c suite.Case) (suite.Result, error) {
			r, err := s.catalogue.requestOf(c, dir.Runs())
			if err != nil {
				return suite.Result{}, err
			}
			t, err := s.catalogue.prepare(r)
			if err != nil {
				return suite.Result{}, err
			}
			run, path, err := t.run(ctx, nil)
			return resultOf(run, path), err
		},
		Note: dir.Note, Say: func(text string) { p.say("%s", text) },
		Slots: f.Parallel, Retries: f.Retries, Budget: f.Budget, FailFast: s.failFast,
	}
}

// resultOf is what a suite keeps of a run.
func resultOf(run results.Run, dir string) suite.Result {
	r := suite.Result{Verdict: run.Verdict, Reason: run.Reason, Ops: run.Ops.Invoked, Dir: dir}
	for _, f := range run.Findings {
		for _, a := range f.Anomalies {
			if f.Verdict == fallacy.Invalid && r.Told == "" {
				r.Told = a.Why
			}
			if !slices.Contains(r.Anomalies, a.Name) {
				r.Anomalies = append(r.Anomalies, a.Name)
			}
		}
	}
	return r
}

// finish judges what is there, writes it down and says it.
func (s *suiteRequest) finish(ctx context.Context, dir *suite.Dir, past suite.Summary, ended error, stdout io.Writer) error {
	outcomes, err := dir.Outcomes()
	if err != nil {
		return err
	}
	if errors.Is(ended, context.Canceled) {
		ended = fmt.Errorf("interrupted: --out %s --resume goes on", dir.Path())
	}
	summary := suite.Summarize(dir.Head, outcomes, ended)
	if s.baseline != "" {
		summary.Compare(past, s.baseline)
	}
	if err := s.outputs.write(summary, s.path, dir, stdout); err != nil {
		return err
	}
	if s.upload != "" {
		prefix, err := dir.Upload(ctx, s.upload)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "uploaded to %s under %s\n", s.upload, prefix)
	}
	return judgedSuite(summary)
}

// judgedSuite is a suite's exit code as an error.
func judgedSuite(s suite.Summary) error {
	switch s.Worst() {
	case suite.AsExpected:
		return nil
	case suite.Unexpected:
		return verdictError{fallacy.Invalid}
	case suite.NotRun:
		return fmt.Errorf("%d tests could not be run", s.Count(suite.NotRun))
	}
	return verdictError{fallacy.Unknown}
}
