package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/fallacy-dev/fallacy/agent"
	"github.com/spf13/cobra"
)

func agentCommand() *cobra.Command {
	var opts agent.Options
	var image string
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
			if err := json.Unmarshal([]byte(image), &opts.Image); err != nil {
				return fmt.Errorf("--image: %w", err)
			}
			return agent.Serve(cmd.Context(), stdio{os.Stdin, os.Stdout}, opts)
		},
	}
	cmd.Flags().StringVar(&opts.Dir, "dir", "", "directory for the node's data and logs")
	cmd.Flags().StringVar(&opts.Host, "host", "127.0.0.1", "address that the node is reached at; auto: its own")
	cmd.Flags().StringVar(&opts.Bin, "bin", "", "where the target's programs are looked for before PATH")
	cmd.Flags().StringVar(&image, "image", "{}", "what the node's image says of its program, as JSON")
	cmd.Flags().IntVar(&opts.FirstPort, "first-port", 0, "where to begin with the target's ports; 0: anywhere")
	cmd.Flags().BoolVar(&opts.Packets, "packets", false, "act on packets, where the network is the node's own")
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
