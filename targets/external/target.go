package external

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy"
)

// Kind is the catalogue's entry for the target of the description.
func (f *File) Kind() *fallacy.TargetKind {
	return &fallacy.TargetKind{Name: f.Name, Doc: f.Doc, New: f.target}
}

func (f *File) target(opts fallacy.TargetOptions) (fallacy.Target, error) {
	switch {
	case opts.Bug != "":
		return nil, fmt.Errorf("%s has no planted bugs, so there is no %q", f.path, opts.Bug)
	case opts.Topology != "":
		return nil, fmt.Errorf("%s has one topology only: leave out %q", f.path, opts.Topology)
	}
	t := &target{File: f, spares: make(map[string][]*conn)}
	if f.Leader.empty() {
		return t, nil
	}
	return led{t}, nil
}

// target is the system that a file describes.
type target struct {
	*File

	mu      sync.Mutex
	cluster []fallacy.Node     // as far as it is known
	spares  map[string][]*conn // clients that nobody uses, by node's name
	failed  error              // why the last client did not start that did not
}

// Ports returns the names of the ports that every node listens on.
func (t *target) Ports() []string { return t.File.Ports }

// Image says where the programs come from.
func (t *target) Image() fallacy.Image {
	im := fallacy.Image{Name: t.File.Image}
	if len(t.Node.Argv) > 0 && !strings.ContainsAny(t.Node.Argv[0], "/{") {
		im.Programs = []string{t.Node.Argv[0]}
	}
	return im
}

// CrashPatterns returns what the file says that a crash looks like.
func (t *target) CrashPatterns() []string { return t.Node.Crash }

// Process says how to run a node.
func (t *target) Process(n fallacy.Node, cluster []fallacy.Node) (fallacy.Process, error) {
	t.mu.Lock()
	t.cluster = cluster
	t.mu.Unlock()
	v := t.viewOf(n, cluster)
	p := fallacy.Process{Files: make(map[string]string), Logs: t.Node.Logs}
	var err error
	if p.Argv, err = expandAll(t.Node.Argv, v); err != nil {
		return p, err
	}
	if p.Env, err = expandEnv(t.Node.Env, v); err != nil {
		return p, err
	}
	for _, name := range t.Node.Copy {
		if p.Files[name], err = t.carried(name); err != nil {
			return p, err
		}
	}
	for name, text := range t.Node.Files {
		if p.Files[name], err = expand(text, v); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (t *target) view(n fallacy.Node) view {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.viewOf(n, t.cluster)
}

// led is a target that tells who leads.
type led struct{ *target }

// leadPatience is how long a node gets to say whether it leads.
const leadPatience = 400 * time.Millisecond

// Primaries returns the nodes that say that they lead; those that do not answer
// soon are left out.
func (l led) Primaries(ctx context.Context, cluster []fallacy.Node) (names []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, leadPatience)
	defer cancel()
	leads := make([]bool, len(cluster))
	var all sync.WaitGroup
	for i, n := range cluster {
		all.Go(func() { leads[i] = l.ask(ctx, l.Leader, n) == nil })
	}
	all.Wait()
	for i, n := range cluster {
		if leads[i] {
			names = append(names, n.Name)
		}
	}
	return names, nil
}

// Version returns what n answers to the question for its version.
func (t *target) Version(ctx context.Context, n fallacy.Node) (string, error) {
	if t.File.Version.empty() {
		return "", fmt.Errorf("%s does not say how to ask a node: set version, as in version: {command: [./server, --version]}", t.path)
	}
	said, err := t.answer(ctx, t.File.Version, n)
	if err == nil && said == "" {
		err = errors.New("the answer is empty")
	}
	return said, err
}

// ask returns nil if n answers p.
func (t *target) ask(ctx context.Context, p Probe, n fallacy.Node) error {
	_, err := t.answer(ctx, p, n)
	return err
}

// answer returns the last line of what n answers to p.
func (t *target) answer(ctx context.Context, p Probe, n fallacy.Node) (string, error) {
	v := t.view(n)
	switch {
	case p.TCP != "":
		return "", stays(ctx, n.Public[p.TCP])
	case p.HTTP != "":
		url, err := expand(p.HTTP, v)
		if err != nil {
			return "", err
		}
		return get(ctx, url)
	}
	argv, err := expandAll(p.Command, v)
	if err != nil {
		return "", err
	}
	cmd, err := t.command(ctx, argv, n)
	if err != nil {
		return "", err
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", argv[0], err, lastLine(out))
	}
	return lastLine(out), nil
}

// command is a program that is run beside fallacy about n.
func (t *target) command(ctx context.Context, argv []string, n fallacy.Node) (*exec.Cmd, error) {
	path, err := t.program(argv[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, argv[1:]...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), "FALLACY_NODE="+n.Name, "FALLACY_ADDRESS="+n.Public["client"])
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// stayFor is how long a connection has to stay open. A proxy between us and the
// node accepts in the name of a node that is down, and hangs up when it finds out.
const stayFor = 200 * time.Millisecond

// stays returns nil if a connection to addr can be made and stays open.
func stays(ctx context.Context, addr string) error {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetReadDeadline(time.Now().Add(stayFor)); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 1))
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // it talks first, or waits to be talked to
	}
	return fmt.Errorf("%s hangs up: %w", addr, err)
}

// get returns the last line that a GET of url is answered with, if it comes to success.
func get(ctx context.Context, url string) (string, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	q.Close = true
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10)) // for people
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return "", fmt.Errorf("%s: %s: %s", url, answer.Status, lastLine(text))
	}
	return lastLine(text), nil
}

// lastLine is the last line of a text that says something.
func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}
