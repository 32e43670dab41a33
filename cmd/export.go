package cmd

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/fallacy-dev/fallacy"
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
  fallacy export jepsen.edn --format csv`

func exportCommand() *cobra.Command {
	var names []string
	doc := exportDoc
	for _, f := range results.Formats() {
		names = append(names, f.Name)
		doc += fmt.Sprintf("  %-10s %s\n", f.Name, f.Title)
	}
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
			return results.Export(cmd.OutOrStdout(), format, run, h)
		},
	}
	cmd.Flags().StringVar(&format, "format", "jsonl", "one of "+strings.Join(names, ", "))
	_ = cmd.RegisterFlagCompletionFunc("format", complete(func() []string { return names })) // the flag exists
	return cmd
}

// readPath reads a run, or a history that belongs to none.
func readPath(cmd *cobra.Command, path string) (run results.Run, h fallacy.History, err error) {
	if path == "-" {
		h, err = readWhole(cmd.InOrStdin(), path)
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
		h, err = readWhole(f, path)
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
