package cmd

import (
	"errors"
	"fmt"

	"github.com/fallacy-dev/fallacy/remote/docker"
	"github.com/fallacy-dev/fallacy/remote/local"
	"github.com/spf13/cobra"
)

const healDoc = `Mend what runs whose controller is gone have left broken.

Agents heal their nodes by themselves when they lose their controller, so there is
rarely anything to do: this is for agents that could not, and for the directories
that they leave behind; in Docker, for containers, networks and volumes. Runs that
are going on are left alone.`

func healCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "heal",
		Short: "mend what dead runs have left broken",
		Long:  healDoc,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			left, err := local.Leftovers()
			if err != nil {
				return err
			}
			var errs []error
			for _, l := range left {
				errs = append(errs, l.Heal())
				fmt.Fprintf(cmd.OutOrStdout(), "healed %s (%d agents ended)\n", l.Dir, len(l.Agents))
			}
			contained, err := docker.Leftovers(cmd.Context())
			errs = append(errs, err)
			for _, l := range contained {
				errs = append(errs, l.Heal(cmd.Context()))
				fmt.Fprintf(cmd.OutOrStdout(), "healed run %s in Docker (%d containers removed)\n", l.Run, len(l.Containers))
			}
			if len(left)+len(contained) == 0 && err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing was left behind")
			}
			return errors.Join(errs...)
		},
	}
}
