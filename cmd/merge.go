package cmd

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/fallacy-dev/fallacy/suite"
	"github.com/spf13/cobra"
)

const mergeDoc = `Join the outcomes of a suite's shards.

Each DIR is the --out of one shard, or what "fallacy suite --upload" left in a
bucket: then give the bucket's URL, and with --prefix what to take from it. All
shards must be there, and be of the same suite, divided in the same way.`

func mergeCommand() *cobra.Command {
	var out, prefix, baseline string
	var outputs suiteOutputs
	cmd := &cobra.Command{
		Use:     "merge DIR... --out DIR",
		Short:   "join the outcomes of a suite's shards",
		Long:    mergeDoc,
		Example: "  fallacy merge shard-1 shard-2 --out all --junit junit.xml\n  fallacy merge s3://results --prefix nightly/4f2c --out all",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return errors.New("--out is missing: where to write what the shards come to together")
			}
			dirs, err := shardsOf(cmd.Context(), args, prefix, out)
			if err != nil {
				return err
			}
			head, outcomes, err := suite.Merge(out, dirs)
			if err != nil {
				return err
			}
			s := suiteRequest{baseline: baseline, outputs: outputs, path: head.Name}
			past, _, err := s.past()
			if err != nil {
				return err
			}
			all, err := suite.Create(out, head)
			if err != nil {
				return err
			}
			defer func() { _ = all.Close() }()
			for _, o := range outcomes {
				if o.Dir != "" {
					o.Dir = filepath.Join(out, o.Dir)
				}
				if err := all.Note(o); err != nil {
					return err
				}
			}
			return s.finish(cmd.Context(), all, past, nil, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "directory to write to")
	f.StringVar(&prefix, "prefix", "", "of what to take from a bucket")
	f.StringVar(&baseline, "baseline", "", "summary.json of an earlier time: what changed since")
	outputs.flags(f)
	return cmd
}

// shardsOf opens shards' directories, and copies those in buckets into out first.
func shardsOf(ctx context.Context, places []string, prefix, out string) ([]*suite.Dir, error) {
	var paths []string
	for _, place := range places {
		if !strings.Contains(place, "://") {
			paths = append(paths, place)
			continue
		}
		found, err := suite.Download(ctx, place, prefix, filepath.Join(out, "shards"))
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	var dirs []*suite.Dir
	for _, path := range paths {
		d, err := suite.Open(path)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, d)
	}
	return dirs, nil
}
