package cmd

import (
	"fmt"
	"path/filepath"

	"github.com/fallacy-dev/fallacy/results"
	"github.com/spf13/cobra"
)

func reportCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "report RUN",
		Short:   "make a run's page again",
		Long:    "Make report.html of a run anew from what was recorded and found; judge nothing.",
		Example: "  fallacy report runs/latest",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := results.Open(args[0])
			if err != nil {
				return err
			}
			run, err := dir.LoadRun()
			if err != nil {
				return err
			}
			h, damage, err := dir.History()
			if err != nil {
				return err
			}
			if damage != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "fallacy:", damage)
			}
			if err := dir.WriteReport(run, h); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(dir.Path(), "report.html"))
			return nil
		},
	}
}
