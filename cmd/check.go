package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/checkers/txn"
	"github.com/fallacy-dev/fallacy/conduct"
	"github.com/fallacy-dev/fallacy/results"
	"github.com/spf13/cobra"
)

const checkDoc = `Judge a recorded history again.

PATH is the directory of a run, whose findings and report are then made anew, or a
file with a history of any origin, "-" for standard input: one JSON object a line,
plain or compressed with zstd, or a history of Jepsen's in EDN. What it is can be
told by its content; what was asked cannot: say --workload, or --checker. Index and time may be
missing from lines of JSON.

  {"process":3,"type":"invoke","f":"write","value":["k",5]}
  {"process":3,"type":"ok","f":"write","value":["k",5]}

For the workloads append and rw-register, --model names the consistency models
that must hold, strict-serializable by default, and further flags what may be
assumed of registers; the names are those of Elle.`

const checkExamples = `  fallacy check runs/latest
  fallacy check history.jsonl --workload register
  fallacy check jepsen.edn --workload append --model snapshot-isolation --json
  fallacy check jepsen.edn --workload register --report report.html
  zcat h.jsonl.gz | fallacy check - --workload rw-register --linearizable-keys`

// question is what a history is to be judged by.
type question struct {
	workload string
	named    []string // checkers that judge as well, or instead of a workload's
	txn      txn.Options
	asked    bool // some of the txn options were given
	json     bool
	report   string // file for the page of a history that is no run's; empty: none
}

func checkCommand(c Catalogue) *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:     "check PATH",
		Short:   "judge a recorded history again",
		Long:    checkDoc + externalDoc,
		Example: checkExamples,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, f := range []string{"model", "anomaly", "graph", "wfr-keys", "sequential-keys", "linearizable-keys"} {
				q.asked = q.asked || cmd.Flags().Changed(f)
			}
			info, err := os.Stat(args[0])
			if args[0] != "-" && err == nil && info.IsDir() {
				if q.report != "" {
					return fmt.Errorf("--report %s: a run has its report in its directory: leave out --report", q.report)
				}
				return checkRun(cmd, c, args[0], q)
			}
			return checkFile(cmd, c, args[0], q)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.workload, "workload", "", "what the history was recorded with; a run knows it")
	f.StringSliceVar(&q.named, "checker", nil, "what judges the history as well: a checker by name, a program by path")
	f.StringSliceVar(&q.txn.Models, "model", nil, "consistency models that must hold, by name")
	f.StringSliceVar(&q.txn.Anomalies, "anomaly", nil, "further anomalies that must not be there, by name: G1, G-single")
	f.StringSliceVar(&q.txn.AdditionalGraphs, "graph", nil, "orders to look at even if no model needs them: process, realtime")
	f.BoolVar(&q.txn.WFRKeys, "wfr-keys", false, "registers: who writes a key after reading it overwrites what it read")
	f.BoolVar(&q.txn.SequentialKeys, "sequential-keys", false, "registers: each key's versions follow the order of each process")
	f.BoolVar(&q.txn.LinearizableKeys, "linearizable-keys", false, "registers: each key's versions follow the order of real time")
	f.BoolVar(&q.json, "json", false, "print the verdict and all findings as JSON")
	f.StringVar(&q.report, "report", "", "write the report of a history that is no run's to this file")
	_ = cmd.RegisterFlagCompletionFunc("workload", complete(c.workloadNames)) // the flags exist
	_ = cmd.RegisterFlagCompletionFunc("checker", complete(c.checkerNames))
	_ = cmd.RegisterFlagCompletionFunc("model", complete(modelNames))
	return cmd
}

func modelNames() (names []string) {
	for _, m := range txn.Models() {
		names = append(names, m.Name)
	}
	return names
}

// checkers are what judges a history of w by what was asked.
// Without a workload it is by those that are named.
func (q question) checkers(c Catalogue, w *fallacy.Workload) ([]*fallacy.Checker, error) {
	named, err := c.checkersNamed(q.named)
	if err != nil {
		return nil, err
	}
	var own []*fallacy.Checker
	switch {
	case q.asked && w == nil:
		return nil, errors.New("consistency models and what goes with them are for a --workload, append or rw-register")
	case q.asked:
		own, err = q.byModels(w)
	case w != nil:
		own = w.Checkers
	}
	return slices.Concat(own, named), err
}

// byModels are the checkers of w for the consistency models that were asked for.
func (q question) byModels(w *fallacy.Workload) ([]*fallacy.Checker, error) {
	for _, name := range q.txn.Models {
		if _, ok := txn.LookupModel(name); !ok {
			return nil, unknown("consistency model", name, modelNames())
		}
	}
	if err := q.txn.Validate(); err != nil {
		return nil, err
	}
	switch w.Name {
	case "append":
		return []*fallacy.Checker{txn.AppendWith(q.txn)}, nil
	case "rw-register":
		return []*fallacy.Checker{txn.RegisterWith(q.txn)}, nil
	}
	return nil, fmt.Errorf("consistency models and what goes with them are for append and rw-register, not for %s", w.Name)
}

// checkRun judges a run, and writes down what is found.
func checkRun(cmd *cobra.Command, c Catalogue, path string, q question) error {
	dir, err := results.Open(path)
	if err != nil {
		return err
	}
	run, err := dir.LoadRun()
	if err != nil {
		return err
	}
	if q.workload != "" && q.workload != run.Workload {
		return fmt.Errorf("--workload %s contradicts the run, which is of %s: leave it out, or check its history file", q.workload, run.Workload)
	}
	w, err := c.workload(run.Workload)
	if err != nil {
		return fmt.Errorf("the run %s: %w", path, err)
	}
	own, err := q.checkers(c, w)
	if err != nil {
		return err
	}
	// What became of a run that was killed can be told from here on.
	if err := dir.Finish(); err != nil {
		return err
	}
	var faults []string
	for _, f := range run.Faults {
		faults = append(faults, f.Name)
	}
	all := slices.Concat(own, c.Checkers, conduct.General(faults))
	if patterns := c.crashPatterns(run); len(patterns) > 0 {
		all = append(all, checkers.Crashes(dir.Logs(), patterns))
	}
	if run, err = conduct.Judge(cmd.Context(), run, dir, all); err != nil {
		return err
	}
	return announce(cmd.OutOrStdout(), run, dir.Path(), q.json)
}

func (c Catalogue) crashPatterns(run results.Run) []string {
	kind, err := c.target(run.Target)
	if err != nil {
		return nil
	}
	target, err := kind.New(fallacy.TargetOptions{Nodes: len(run.Nodes), Bug: run.Bug, Seed: run.Seed})
	if err != nil {
		return nil
	}
	if p, ok := target.(fallacy.CrashPatterns); ok {
		return p.CrashPatterns()
	}
	return nil
}

// checkFile judges a history that somebody brings.
func checkFile(cmd *cobra.Command, c Catalogue, path string, q question) error {
	var w *fallacy.Workload
	var err error
	switch {
	case q.workload != "":
		if w, err = c.workload(q.workload); err != nil {
			return err
		}
	case len(q.named) == 0:
		return fmt.Errorf("check %s: what was asked is not known: say --workload, one of %s, or --checker", path, strings.Join(c.workloadNames(), ", "))
	}
	own, err := q.checkers(c, w)
	if err != nil {
		return err
	}
	in := cmd.InOrStdin()
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	h, cut, err := readOps(cmd, in, path)
	if err != nil {
		return err
	}
	run := conduct.JudgeHistory(cmd.Context(), results.Run{Name: path, Workload: q.workload}, h, slices.Concat(own, c.Checkers))
	if run.Ops.OK == 0 && run.Verdict == fallacy.Valid {
		run.Verdict, run.Reason = fallacy.Unknown, "no operation succeeded, so nothing was seen"
	}
	if cut != nil {
		run.Reason = strings.TrimSuffix(cut.String()+"; "+run.Reason, "; ")
		run.Verdict = fallacy.Worse(run.Verdict, fallacy.Unknown)
	}
	if q.report != "" {
		if err := reportFile(cmd.Context(), q.report, run, w, h); err != nil {
			return err
		}
	}
	err = announce(cmd.OutOrStdout(), run, "", q.json)
	if q.report != "" && !q.json {
		fmt.Fprintln(cmd.OutOrStdout(), q.report)
	}
	return err
}

// reportFile writes the page of a history that somebody brought.
func reportFile(ctx context.Context, path string, run results.Run, w *fallacy.Workload, h fallacy.History) error {
	run.Command = []string{"fallacy", "check", run.Name}
	if w != nil {
		run.Promise, _, _ = strings.Cut(w.Doc, "\n")
		run.Command = append(run.Command, "--workload", w.Name)
	}
	run.Version = version()
	run.Findings = append(run.Findings, conduct.JudgeHistory(ctx, results.Run{}, h, []*fallacy.Checker{checkers.Stats()}).Findings...)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(results.Report(f, run, h, nil), f.Close())
}

// readOps reads a history. One that was cut off is read up to there, with a
// warning: half of one may be valid where all of it is not, but not the other way
// round.
func readOps(cmd *cobra.Command, in io.Reader, path string) (h fallacy.History, cut *results.Damage, err error) {
	h, damage, err := results.ReadHistory(in)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	case damage != nil && !(damage.Cut && len(h) > 0):
		return nil, nil, fmt.Errorf("read %s: line %d cannot be read: %s", path, damage.Line, damage.Reason)
	case len(h) == 0:
		return nil, nil, errors.New("read " + path + ": there is no op in it")
	}
	if err := h.Validate(); err != nil {
		return nil, nil, fmt.Errorf("%s is no history: %w", path, err)
	}
	if damage != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "fallacy: %s ends in the middle: %v\n", path, damage)
	}
	return h, damage, nil
}
