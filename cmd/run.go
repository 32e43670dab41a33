package cmd

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/txn"
	"github.com/fallacy-dev/fallacy/results"
	"github.com/spf13/cobra"
)

const runDoc = `Run a workload against a target under faults, and judge what happened.

TARGET[/WORKLOAD] is what to test and how, refstore/register by default: see
"fallacy list targets" and "fallacy list workloads". A system of your own is a file,
./mine.yaml[/WORKLOAD], that says how its nodes are started and which program, in
any language, is its client: see docs/your-system.md.

Nodes are processes on this machine; nothing needs to be installed, and no root.
The network between them goes through proxies of fallacy's own, their wall clocks
are their own, and every fault is verified to have taken effect.

With --on docker every node is a container, from the target's official image if
that is there or can be pulled, from an image that --image names, or from the
programs that are installed on this machine (--image host). fallacy's own binary is
copied in, and has to be static (built with CGO_ENABLED=0). Links are broken in the
containers' own network, packet by packet.

With --on ssh every node is a machine, --nodes n1,n2,n3, found as ssh finds it and
refused unless its key is known. A password comes from FALLACY_SSH_PASSWORD.

The verdict goes to standard output, progress to standard error. Everything that
is known of the run is kept in runs/<target>-<workload>/<time>/: report.html to
read, history.jsonl.zst with every operation, run.json, plan.json, the nodes' logs.

One Ctrl-C ends a run early: it is healed and judged all the same. A second one
ends it at once; the nodes then heal and end by themselves.`

const runExamples = `  fallacy run
  fallacy run refstore/append --faults partition:leader,kill --time 60s
  fallacy run refstore/set --bug no-fsync            a store that forgets: what is found?
  fallacy run --seed 42                              the same plan every time
  fallacy run --plan runs/latest/plan.json           the same faults at the same times
  fallacy run refstore/register --on docker          the same in containers
  fallacy run etcd/register --on docker --faults packet,partition
  fallacy run etcd/register --on ssh --nodes n1,n2,n3 --ssh-key id_ed25519
  fallacy run --nodes 3 --concurrency 4n --rate 0    as fast as it can
  fallacy run ./mine.yaml --faults kill,pause        a system of your own`

func runCommand(c Catalogue) *cobra.Command {
	r := defaultRequest()
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "run [TARGET[/WORKLOAD]]",
		Short:             "run a test and judge it",
		Long:              runDoc,
		Example:           runExamples,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: complete(c.everyTest),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				r.what = args[0]
			}
			r.faultsGiven = cmd.Flags().Changed("faults")
			t, err := c.prepare(r)
			if err != nil {
				return err
			}
			run, dir, err := t.run(cmd.Context(), newProgress(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			return announce(cmd.OutOrStdout(), run, dir, asJSON)
		},
	}
	r.flags(cmd, c)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the verdict and all findings as JSON")
	return cmd
}

func (r *request) flags(cmd *cobra.Command, c Catalogue) {
	f := cmd.Flags()
	r.place.flags(f)
	f.StringVar(&r.nodes, "nodes", r.nodes, "how many nodes, or their names: n1,n2,n3")
	f.StringVar(&r.faults, "faults", r.faults, "what to break, comma-separated, with variants (partition:bridge); all, or none")
	f.StringVar(&r.concurrency, "concurrency", r.concurrency, "clients; 2n is two for each node")
	f.Float64Var(&r.rate, "rate", r.rate, "operations a second, all clients together; 0: as fast as they can")
	f.DurationVar(&r.time, "time", r.time, "how long the workload runs under faults")
	f.DurationVar(&r.opTimeout, "op-timeout", r.opTimeout, "after which nobody knows what became of an operation")
	f.DurationVar(&r.recovery, "recovery", r.recovery, "how long to wait, at most, until every node serves again")
	f.DurationVar(&r.quiet, "quiet-time", r.quiet, "between two injections of a fault, on average")
	f.DurationVar(&r.fault, "fault-time", r.fault, "for which a fault is in force, on average")
	f.Uint64Var(&r.seed, "seed", 0, "fixes every random choice; 0: another each time")
	f.StringVar(&r.bug, "bug", "", "run the target with a planted bug: see fallacy list bugs")
	f.StringVar(&r.topology, "topology", "", "how the target's nodes are put together, if it knows several ways: see fallacy list targets NAME")
	f.StringVar(&r.plan, "plan", "", "do the faults of this plan.json again, at the same times")
	f.StringSliceVar(&r.checkers, "checker", nil, "what judges the history as well: a checker by name, a program by path")
	f.StringVar(&r.runs, "runs", r.runs, "directory to keep runs in")
	_ = cmd.RegisterFlagCompletionFunc("faults", complete(faultNames)) // the flags exist
	_ = cmd.RegisterFlagCompletionFunc("checker", complete(c.checkerNames))
	_ = cmd.RegisterFlagCompletionFunc("bug", complete(c.bugNames))
	_ = cmd.RegisterFlagCompletionFunc("on", complete(remotes))
}

// complete completes a flag or an argument with names.
func complete(names func() []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return names(), cobra.ShellCompDirectiveNoFileComp
	}
}

// verdictJSON is what --json prints.
type verdictJSON struct {
	Verdict   fallacy.Verdict   `json:"verdict"`
	Reason    string            `json:"reason,omitempty"`
	Examined  int               `json:"examined"`
	Anomalies []fallacy.Anomaly `json:"anomalies"`
	Run       string            `json:"run,omitempty"` // its directory
	Seed      uint64            `json:"seed,omitempty"`
	Models    *txn.Verdicts     `json:"models,omitempty"`
	Findings  []results.Finding `json:"findings"`
}

// announce prints the verdict, and returns it as an error unless it is valid.
func announce(w io.Writer, run results.Run, dir string, asJSON bool) error {
	if !asJSON {
		summarize(w, run, dir)
		return judged(run.Verdict)
	}
	v := verdictJSON{Verdict: run.Verdict, Reason: run.Reason, Anomalies: []fallacy.Anomaly{}, Run: dir, Seed: run.Seed, Findings: run.Findings}
	for _, f := range run.Findings {
		v.Examined = max(v.Examined, f.Examined)
		v.Anomalies = append(v.Anomalies, f.Anomalies...)
		if details, ok := f.Details.(txn.Details); ok {
			v.Models = &details.Models
		}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return fmt.Errorf("print the findings: %w", err)
	}
	return judged(run.Verdict)
}
