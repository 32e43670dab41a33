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
are going on are left alone. With --nodes it looks at machines reached by SSH too.`

func healCommand() *cobra.Command {
	var p place
	var nodes []string
	cmd := &cobra.Command{
		Use:     "heal",
		Short:   "mend what dead runs have left broken",
		Long:    healDoc,
		Example: "  fallacy heal\n  fallacy heal --nodes n1,n2,n3 --ssh-key id_ed25519",
		Args:    cobra.NoArgs,
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
			far, err := p.sshOptions().Heal(cmd.Context(), nodes)
			errs = append(errs, err)
			for _, l := range far {
				fmt.Fprintf(cmd.OutOrStdout(), "healed %s on %s\n", l.Dir, l.Node)
			}
			if len(left)+len(contained)+len(far) == 0 && errors.Join(errs...) == nil {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing was left behind")
			}
			return errors.Join(errs...)
		},
	}
	cmd.Flags().StringSliceVar(&nodes, "nodes", nil, "machines to look at by SSH")
	p.sshFlags(cmd.Flags())
	return cmd
}
