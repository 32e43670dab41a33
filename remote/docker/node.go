package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fallacy-dev/fallacy/agent"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// Where things are in a container.
const (
	agentPath = "/fallacy/fallacy"
	binDir    = "/fallacy/bin"
	nodeDir   = "/fallacy/node"
)

// node is a container with an agent.
type node struct {
	name   string
	docker *client.Client
	id     string
	stream *stream
	gone   client.ContainerWaitResult // once the container is removed
	forget context.CancelFunc         // of gone
	runs   bool                       // it was started, and will be gone when its stream has ended
	// outside is by port and protocol where clients reach it; nil: directly.
	outside map[string]string
}

// create makes the container, which is removed when it ends. Its writable
// directory is a volume: on the machine's own file system, unlike the rest.
func (d *Dialer) create(ctx context.Context, n *node) error {
	name, host := "", ""
	if isNodeName(n.name) {
		name, host = "fallacy-"+d.run+"-"+n.name, n.name
	}
	says, err := json.Marshal(d.image.says)
	if err != nil {
		return fmt.Errorf("pass on what the image says of itself: %w", err)
	}
	args := []string{"--dir", nodeDir, "--host", agent.HostAuto, "--bin", binDir, "--image", string(says)}
	if d.opts.IPv6 {
		args[3] = agent.HostAuto6
	}
	if d.network.publish {
		args = append(args, "--first-port", strconv.Itoa(firstPort))
	}
	var capabilities []string
	if d.opts.Packets {
		args, capabilities = append(args, "--packets"), append(capabilities, "NET_ADMIN")
	}
	if d.opts.Clocks {
		capabilities = append(capabilities, "SYS_PTRACE")
	}
	set, bindings := d.published()
	made, err := d.docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name:  name,
		Image: d.image.id,
		Config: &container.Config{
			Hostname: host, Labels: d.labelled(n.name), User: "0", WorkingDir: "/", Env: d.opts.Env,
			Entrypoint: append([]string{agentPath}, d.opts.Args...),
			Cmd:        args,
			// One of the image's own could find the agent unwell and have it killed.
			Healthcheck:  &container.HealthConfig{Test: []string{"NONE"}},
			ExposedPorts: set,
			OpenStdin:    true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
		},
		HostConfig: &container.HostConfig{
			AutoRemove:   true,
			NetworkMode:  container.NetworkMode(d.network.id),
			PortBindings: bindings,
			CapAdd:       capabilities,
			// Standard output is the stream: nobody reads a copy of it.
			LogConfig: container.LogConfig{Type: "none"},
			Mounts: []mount.Mount{{
				Type: mount.TypeVolume, Target: nodeDir, VolumeOptions: &mount.VolumeOptions{Labels: d.labelled(n.name)},
			}},
		},
	})
	if err != nil {
		return fmt.Errorf("make a container: %w", err)
	}
	n.id = made.ID
	return nil
}

// upload copies the agent into the container.
func (n *node) upload(ctx context.Context, pack []byte) error {
	_, err := n.docker.CopyToContainer(ctx, n.id, client.CopyToContainerOptions{DestinationPath: "/", Content: bytes.NewReader(pack)})
	if err != nil {
		return fmt.Errorf("copy the agent into its container: %w", err)
	}
	return nil
}

// start attaches to the container, so that nothing of its output is lost, and starts it.
func (n *node) start(ctx context.Context) error {
	attached, err := n.docker.ContainerAttach(ctx, n.id, client.ContainerAttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return fmt.Errorf("attach to the container: %w", err)
	}
	n.stream = newStream(attached.HijackedResponse)
	waiting, forget := context.WithCancel(context.Background())
	n.forget = forget
	n.gone = n.docker.ContainerWait(waiting, n.id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	if _, err := n.docker.ContainerStart(ctx, n.id, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("start the container: %w", err)
	}
	n.runs = true
	return nil
}

// endPatience is how long an agent gets to heal and end.
const endPatience = 15 * time.Second

// end closes the stream, waits until the container is gone, and removes it if it does not go.
func (n *node) end(ctx context.Context) error {
	var err error
	if n.stream != nil {
		defer n.forget()
		defer n.stream.drop()
		_ = n.stream.Close() // the other end may have closed it before
	}
	if n.runs {
		err = n.await(ctx)
	}
	_, removed := n.docker.ContainerRemove(ctx, n.id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return errors.Join(err, ignoreGone(removed))
}

func (n *node) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endPatience)
	defer cancel()
	select {
	case res := <-n.gone.Result:
		if res.StatusCode != 0 {
			return n.stream.complain(fmt.Errorf("the agent in the container of %s: exit status %d", n.name, res.StatusCode))
		}
		return nil
	case err := <-n.gone.Error:
		return ignoreGone(err)
	case <-ctx.Done():
		return fmt.Errorf("the agent in the container of %s does not end, and was killed: %w", n.name, ctx.Err())
	}
}

// stream is an agent's standard input and output.
type stream struct {
	*io.PipeReader
	conn client.HijackedResponse
	errs head
}

// newStream separates what Docker mixes: standard output, and standard error,
// of which the beginning is kept for complaints.
func newStream(conn client.HijackedResponse) *stream {
	r, w := io.Pipe()
	s := &stream{PipeReader: r, conn: conn}
	go func() {
		_, err := stdcopy.StdCopy(w, &s.errs, conn.Reader)
		if s.errs.String() != "" {
			err = s.complain(errors.New("the agent ended"))
		}
		w.CloseWithError(err) // nil: the end of the stream
		// A reader that has gone away must not keep the agent from ending.
		_, _ = io.Copy(io.Discard, conn.Reader)
	}()
	return s
}

// Write writes to the agent.
func (s *stream) Write(p []byte) (int, error) { return s.conn.Conn.Write(p) }

// Close ends the agent's input, at which it heals and ends.
func (s *stream) Close() error {
	_ = s.PipeReader.Close() // never fails
	return s.conn.CloseWrite()
}

// drop lets go of the connection.
func (s *stream) drop() { s.conn.Close() }

// complain adds to err what the agent said.
func (s *stream) complain(err error) error {
	if said := s.errs.String(); said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// head keeps the beginning of what is written to it: usage and stacks come later.
type head struct {
	mu   sync.Mutex
	text []byte
}

const headMax = 1000

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text = append(h.text, p[:min(len(p), headMax-len(h.text))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.TrimSpace(string(h.text))
}
