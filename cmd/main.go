package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fallacy-dev/fallacy"
	"github.com/spf13/cobra"
)

// Exit codes of every command that judges.
const (
	exitValid   = 0
	exitInvalid = 1
	exitUnknown = 2
	exitTrouble = 3
)

func exitCode(v fallacy.Verdict) int {
	switch v {
	case fallacy.Valid:
		return exitValid
	case fallacy.Invalid:
		return exitInvalid
	}
	return exitUnknown
}

// verdictError is how a command says that all went well and the verdict is not valid.
type verdictError struct{ verdict fallacy.Verdict }

func (e verdictError) Error() string { return e.verdict.String() }

// judged returns nil for valid, and else an error that carries the exit code.
func judged(v fallacy.Verdict) error {
	if v == fallacy.Valid {
		return nil
	}
	return verdictError{v}
}

const about = `fallacy finds out whether a distributed system keeps its promises while the
world misbehaves.

It drives clients against a real system, breaks things on purpose meanwhile
(cuts the network, skews clocks, kills and pauses processes), records every
operation, and judges the history: is it linearizable, did anything get lost?

Exit codes: 0 valid, 1 invalid, 2 unknown, 3 fallacy's own trouble.
Unknown is never a pass.`

const examples = `  fallacy run                                      the bundled store under four kinds of fault
  fallacy run refstore/register --bug stale-read   a store with a bug: watch it being found
  fallacy run refstore/append --faults all --time 60s
  fallacy check runs/latest                        judge a recorded history again
  fallacy list faults                              what can be broken, and how`

// Main runs the command with the arguments of the process and returns its exit code.
func Main(c Catalogue) int {
	for _, p := range c.Programs {
		if len(os.Args) > 1 && os.Args[1] == p.Name {
			return p.Main(os.Args[2:])
		}
	}
	// The first signal ends a run early but in order; it restores the default, so
	// that the second one ends the process at once, and the agents heal by themselves.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(ctx, c, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

func run(ctx context.Context, c Catalogue, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if err := c.Validate(); err != nil {
		fmt.Fprintln(stderr, "fallacy: the catalogue:", err)
		return exitTrouble
	}
	root := rootCommand(c)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var verdict verdictError
	switch {
	case err == nil:
		return exitValid
	case errors.As(err, &verdict):
		return exitCode(verdict.verdict)
	}
	fmt.Fprintln(stderr, "fallacy:", err)
	return exitTrouble
}

func rootCommand(c Catalogue) *cobra.Command {
	root := &cobra.Command{
		Use:           "fallacy",
		Short:         "find out whether a distributed system keeps its promises",
		Long:          about,
		Example:       examples,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		runCommand(c), checkCommand(c), reportCommand(), exportCommand(), listCommand(c), healCommand(),
		serveCommand(c), selftestCommand(c), suiteCommand(c), mergeCommand(), agentCommand(),
	)
	return root
}
