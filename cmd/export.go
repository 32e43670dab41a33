package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers/linearizable"
	"github.com/fallacy-dev/fallacy/results"
	"github.com/spf13/cobra"
)

const exportDoc = `Write a run, or a history of any origin, in another format to standard output.

PATH is the directory of a run, or a file with a history as check reads it, "-"
for standard input. Formats:

`

const exportExamples = `  fallacy export runs/latest --format junit > fallacy.xml
  fallacy export runs/latest --format markdown | gh pr comment --body-file -
  fallacy export runs/latest --format edn > history.edn
  fallacy export jepsen.edn --format parquet > history.parquet
  fallacy export runs/latest --format sarif > fallacy.sarif
  fallacy export runs/latest --format porcupine > picture.html`

func exportCommand() *cobra.Command {
	var names []string
	doc := exportDoc
	for _, f := range results.Formats() {
		names = append(names, f.Name)
		doc += fmt.Sprintf("  %-10s %s\n", f.Name, f.Title)
	}
	names = append(names, porcupine)
	doc += fmt.Sprintf("  %-10s %s\n", porcupine, "the first order that cannot be, as Porcupine draws it: a page of HTML")
	var format string
	cmd := &cobra.Command{
		Use:     "export PATH",
		Short:   "write a history, or what was found in it, in another format",
		Long:    strings.TrimSuffix(doc, "\n"),
		Example: exportExamples,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(names, format) {
				return unknown("format", format, names)
			}
			run, h, err := readPath(cmd, args[0])
			if err != nil {
				return err
			}
			if format == porcupine {
				return drawPorcupine(cmd, run, h)
			}
			return results.Export(cmd.OutOrStdout(), format, run, h)
		},
	}
	cmd.Flags().StringVar(&format, "format", "jsonl", "one of "+strings.Join(names, ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", complete(func() []string { return names })) // the flag exists
	return cmd
}

// porcupine is the format that is a picture, and no table of results.
const porcupine = "porcupine"

// pictured are the models that a workload's history is held against.
var pictured = map[string]linearizable.Model{
	"register": linearizable.CASRegister, "set": linearizable.Set, "counter": linearizable.Counter,
	"queue": linearizable.Queue, "lock": linearizable.Mutex, "mutex": linearizable.Mutex,
}

// drawPorcupine writes Porcupine's picture of the first anomaly that it can draw.
func drawPorcupine(cmd *cobra.Command, run results.Run, h fallacy.History) error {
	model, ok := pictured[run.Workload]
	if !ok {
		return fmt.Errorf("export as %s: Porcupine draws registers, sets, counters, queues and locks, and %q is none of them", porcupine, run.Workload)
	}
	trouble := errors.New("nothing was found in it that is not linearizable")
	for _, f := range run.Findings {
		for _, a := range f.Anomalies {
			if len(a.Ops) == 0 || len(a.Cycle) > 0 {
				continue
			}
			page, err := picture(cmd.Context(), model, h, a)
			if err == nil {
				_, err = cmd.OutOrStdout().Write(page)
				return err
			}
			trouble = err
		}
	}
	return fmt.Errorf("export as %s: %w", porcupine, trouble)
}

func picture(ctx context.Context, m linearizable.Model, h fallacy.History, a fallacy.Anomaly) ([]byte, error) {
	page, err := linearizable.Picture(ctx, m, h, a)
	if err != nil {
		return nil, fmt.Errorf("drawing %s (ops %v): %w", a.Name, a.Ops, err)
	}
	return page, nil
}

// readPath reads a run, or a history that belongs to none.
func readPath(cmd *cobra.Command, path string) (run results.Run, h fallacy.History, err error) {
	if path == "-" {
		h, _, err = readOps(cmd, cmd.InOrStdin(), path)
		return run, h, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return run, nil, err
	}
	if !info.IsDir() {
		f, err := os.Open(path)
		if err != nil {
			return run, nil, err
		}
		defer f.Close()
		h, _, err = readOps(cmd, f, path)
		return run, h, err
	}
	dir, err := results.Open(path)
	if err != nil {
		return run, nil, err
	}
	if run, err = dir.LoadRun(); err != nil {
		return run, nil, err
	}
	h, damage, err := dir.History()
	if damage != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "fallacy:", damage)
	}
	return run, h, err
}
