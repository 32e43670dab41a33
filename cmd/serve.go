package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/fallacy-dev/fallacy/results"
	"github.com/spf13/cobra"
)

func serveCommand() *cobra.Command {
	var addr, runs string
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "browse runs",
		Long:    "Show the runs in a directory as pages, until interrupted.",
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
			fmt.Fprintf(cmd.OutOrStdout(), "http://%s\n", l.Addr())
			return serveOn(cmd.Context(), l, results.Handler(runs))
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", "address to listen on; anybody who reaches it can read the runs")
	cmd.Flags().StringVar(&runs, "runs", "runs", "directory of runs")
	return cmd
}

// serveOn serves until ctx is done, and lets requests that are under way end.
func serveOn(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
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
