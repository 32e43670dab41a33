package conduct

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
	"github.com/fallacy-dev/fallacy/remote"
	"github.com/fallacy-dev/fallacy/results"
)

const (
	// versionPatience is how long a node gets to say which version it runs.
	versionPatience = 2 * time.Second
	// fileMax is how much of a file of the target's configuration is kept in run.json.
	fileMax = 16 << 10
)

// membersOf says how the target was run on each node.
func membersOf(c *remote.Cluster) []results.Member {
	var all []results.Member
	for i, ran := range c.Ran() {
		m := results.Member{
			Node: c.Nodes()[i].Name, Argv: ran.Argv, Program: ran.Program, Env: ran.Process.Env, Dir: ran.Dir, User: ran.User,
			Files: make(map[string]string),
		}
		for name, content := range ran.Process.Files {
			m.Files[name] = cut(content)
		}
		all = append(all, m)
	}
	return all
}

// cut keeps the beginning of a long text, and says how long it was.
func cut(text string) string {
	if len(text) <= fileMax {
		return text
	}
	end := fileMax
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s\n… (%d bytes in all)", text[:end], len(text))
}

// askVersions asks every node which version of the target it runs, and adds it to
// what is known if it is another than before.
func askVersions(ctx context.Context, target fallacy.Target, nodes []fallacy.Node, members []results.Member) {
	v, ok := target.(fallacy.Versions)
	if !ok {
		for i := range members {
			members[i].NoVersion = "fallacy does not know how to ask this target"
		}
		return
	}
	ctx, cancel := context.WithTimeout(ctx, versionPatience)
	defer cancel()
	var all sync.WaitGroup
	for i, n := range nodes {
		all.Go(func() {
			m := &members[i]
			version, err := v.Version(ctx, n)
			switch {
			case err != nil && len(m.Versions) == 0:
				m.NoVersion = err.Error()
			case err == nil:
				m.NoVersion, m.Versions = "", append(m.Versions, version)
				m.Versions = slices.Compact(m.Versions)
			}
		})
	}
	all.Wait()
}

// collect brings the nodes' logs home, and what the target used there.
func collect(c *remote.Cluster, dir *results.Dir, run *results.Run) error {
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	err := c.Samples(ctx, func(node string, s agent.Samples) error { return keep(dir, run, node, s) })
	return errors.Join(err, c.Logs(ctx, func(node, name string) (io.WriteCloser, error) { return dir.CreateLog(node, name) }))
}

// keep writes down what the target used on a node. Nodes may be kept side by side.
func keep(dir *results.Dir, run *results.Run, node string, s agent.Samples) error {
	if run.Epoch.IsZero() {
		return nil // there is no axis to put it on
	}
	now := time.Since(run.Epoch)
	all := make([]results.Sample, len(s.All))
	for i, sample := range s.All {
		u := sample.Usage
		all[i] = results.Sample{
			At: now - sample.Ago, PID: sample.PID, CPU: u.CPU, Memory: u.Memory, Files: u.Files, Threads: u.Threads, Read: u.Read, Written: u.Written,
		}
	}
	for i := range run.Members { // and not their copies: others are being written to
		if m := &run.Members[i]; m.Node == node {
			m.NoSamples = s.Trouble
		}
	}
	return dir.SaveSamples(node, all)
}
