package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/checkers"
	"github.com/fallacy-dev/fallacy/results"
	"github.com/spf13/cobra"
)

const serveDoc = `Show the runs in a directory as pages, until interrupted: a table of all,
their reports, two side by side, how a target fares over time, and runs in
progress. The same is there for programs under /api, which describes itself.

On this machine's own addresses whoever is on it can read the runs. On any other
address a token is needed, a new one each time: it is printed, once, as part of
the address to open.`

func serveCommand(c Catalogue) *cobra.Command {
	var addr, runs string
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "browse runs",
		Long:    serveDoc,
		Example: "  fallacy serve\n  fallacy serve --addr 127.0.0.1:9000 --runs /var/lib/fallacy",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if info, err := os.Stat(runs); err != nil || !info.IsDir() {
				return fmt.Errorf("there is no directory of runs at %s: make a run first, or point --runs at one", runs)
			}
			l, err := net.Listen("tcp", addr)
			if err != nil {
				return err
			}
			h, query := guarded(results.Handler(runs, c.judgeLive), l.Addr().String())
			fmt.Fprintf(cmd.OutOrStdout(), "http://%s/%s\n", l.Addr(), query)
			return serveOn(cmd.Context(), l, h)
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "address to listen on; beyond this machine a token is asked for")
	cmd.Flags().StringVar(&runs, "runs", "runs", "directory of runs")
	return cmd
}

// guarded puts before h what an address needs: on this machine that it is called
// by its own name, elsewhere a token, which is printed once, as a query.
func guarded(h http.Handler, addr string) (guard http.Handler, query string) {
	if results.IsLoopback(addr) {
		return results.Local(h), ""
	}
	token := results.NewToken()
	return results.Guarded(h, token), "?token=" + token
}

// judgeLive lets the checkers of a run's workload look at its history so far.
func (c Catalogue) judgeLive(ctx context.Context, run results.Run, h fallacy.History) []results.Finding {
	w, err := c.workload(run.Workload)
	if err != nil {
		return nil // of another binary
	}
	var findings []results.Finding
	for _, j := range checkers.Judge(ctx, h, w.Checkers, checkers.Options{}) {
		findings = append(findings, results.Finding{Checker: j.Checker, Title: j.Title, Finding: j.Finding, Took: j.Took})
	}
	return findings
}

// serveOn serves until ctx is done, and lets requests that are under way end.
func serveOn(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx }, // so that who follows a run lets go
	}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	})
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
