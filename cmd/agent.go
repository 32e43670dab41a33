package cmd

import (
	"io"
	"os"

	"github.com/fallacy-dev/fallacy/agent"
	"github.com/spf13/cobra"
)

func agentCommand() *cobra.Command {
	var opts agent.Options
	cmd := &cobra.Command{
		Use:    "agent --dir DIR",
		Short:  "be the agent of a node, on standard input and output",
		Long:   "Be the agent of a node: fallacy starts it itself. It answers the controller on standard\ninput and output, and heals all that it did when the controller is gone.",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if os.Getpid() == 1 {
				return agent.Init(cmd.Context())
			}
			return agent.Serve(cmd.Context(), stdio{os.Stdin, os.Stdout}, opts)
		},
	}
	cmd.Flags().StringVar(&opts.Dir, "dir", "", "directory for the node's data and logs")
	cmd.Flags().StringVar(&opts.Host, "host", "127.0.0.1", "address that the node is reached at; auto: its own")
	_ = cmd.MarkFlagRequired("dir") // the flag exists
	return cmd
}

// stdio is the process's own input and output as one stream.
type stdio struct {
	io.Reader
	io.Writer
}

// Close closes the input, at which a reader that waits there returns.
func (s stdio) Close() error { return os.Stdin.Close() }
