package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/fallacy-dev/fallacy/agent/owner"
	"golang.org/x/crypto/ssh"
)

// node is a machine that we are logged in to.
type node struct {
	*connection
	name   string
	addr   string // of the machine, as its sshd is reached
	cache  string // directory for what is worth keeping there
	sudo   string // what makes a command root's: "", or "sudo -n "
	root   bool   // that is possible
	dir    string // of the run; empty: not made
	agent  string // file of its program
	ready  bool   // all that the agent needs is there
	stream *stream
}

// machines are Go's names of what uname calls machines.
var machines = map[string]string{
	"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i686": "386", "armv7l": "arm",
	"riscv64": "riscv64", "s390x": "s390x", "ppc64le": "ppc64le",
}

// survey finds out what the machine is, and whether we may be root there.
func (n *node) survey(want string) error {
	said, err := n.run(`
uname -s
uname -m
echo "$SSH_CONNECTION"
echo "${XDG_CACHE_HOME:-$HOME/.cache}"
if [ "$(id -u)" = 0 ]; then echo root; elif sudo -n true 2>/dev/null; then echo sudo; else echo neither; fi
`, nil)
	if err != nil {
		return fmt.Errorf("look around: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if len(lines) != 5 {
		return fmt.Errorf("look around: a shell was expected, and it says %q", said)
	}
	machine := machines[lines[1]]
	if lines[0] != "Linux" || machine != want {
		return fmt.Errorf("it is %s %s and fallacy's binary is for Linux on %s: build it with CGO_ENABLED=0 GOOS=linux GOARCH=%s", lines[0], lines[1], want, machine)
	}
	if ends := strings.Fields(lines[2]); len(ends) == 4 {
		n.addr = ends[2]
	} else if n.addr, _, err = net.SplitHostPort(n.RemoteAddr().String()); err != nil {
		return err
	}
	n.cache = lines[3]
	n.root = lines[4] != "neither"
	if lines[4] == "sudo" {
		n.sudo = "sudo -n "
	}
	return nil
}

// run runs a script with input, and returns its output.
func (n *node) run(script string, input []byte) (string, error) {
	s, err := n.NewSession()
	if err != nil {
		return "", err
	}
	defer s.Close()
	var out, complaints bytes.Buffer
	s.Stdout, s.Stderr = &out, &complaints
	s.Stdin = bytes.NewReader(input)
	if err := s.Run(shell(script)); err != nil {
		return "", complain(err, complaints.String())
	}
	return out.String(), nil
}

// shell makes a script a command for whatever shell somebody logs in to.
func shell(script string) string { return "exec sh -c " + quote(script) }

// quote makes text one word of a shell's.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// complain adds to err what a command said.
func complain(err error, said string) error {
	if said = strings.TrimSpace(said); said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// upload makes content an executable file, unless it is there already.
func (n *node) upload(path string, content []byte) error {
	file := quote(path)
	there, err := n.run(fmt.Sprintf(`[ -x %s ] && wc -c < %s || echo none`, file, file), nil)
	if err != nil {
		return err
	}
	if strings.TrimSpace(there) == fmt.Sprint(len(content)) {
		return nil
	}
	_, err = n.run(fmt.Sprintf(`set -e
mkdir -p "$(dirname %[1]s)"
cat > %[1]s.$$
chmod 755 %[1]s.$$
mv %[1]s.$$ %[1]s`, file), content)
	return err
}

// forget removes agents that nobody has used for a week, of versions that are gone.
func (n *node) forget() error {
	agent := quote(n.agent)
	_, err := n.run(fmt.Sprintf(`touch %s; find "$(dirname %s)" -name 'agent-*' -mtime +7 -exec rm -f {} + 2>/dev/null; true`, agent, agent), nil)
	return err
}

// makeDir makes the node's directory, with the name of its owner in it.
func (n *node) makeDir() error {
	said, err := n.run(fmt.Sprintf(`set -e
d=$(mktemp -d /tmp/%sXXXXXXXXXX)
chmod 755 "$d"
mkdir "$d/node" "$d/bin"
printf %%s %s > "$d/owner"
echo "$d"`, prefix, quote(owner.Self().String())), nil)
	if err != nil {
		return fmt.Errorf("make a directory for the node: %w", err)
	}
	n.dir = strings.TrimSpace(said)
	return nil
}

// start starts the agent, as root if that is possible.
func (n *node) start(opts Options) error {
	argv := []string{"env"}
	argv = append(argv, opts.Env...)
	argv = append(append(argv, n.agent), opts.Args...)
	argv = append(argv, "--dir", n.dir+"/node", "--host", n.addr, "--bin", n.dir+"/bin")
	if opts.Packets && n.root {
		argv = append(argv, "--packets")
	}
	for i := range argv {
		argv[i] = quote(argv[i])
	}
	s, err := n.NewSession()
	if err != nil {
		return err
	}
	n.stream, err = newStream(s, shell(fmt.Sprintf("echo $$ > %s\nexec %s%s", quote(n.dir+"/agent.pid"), n.sudo, strings.Join(argv, " "))))
	return err
}

// endPatience is how long an agent gets to heal and end.
const endPatience = 15 * time.Second

// end ends the agent, waits for that, and removes the directory.
func (n *node) end() error {
	var errs []error
	if n.stream != nil {
		_ = n.stream.Close() // the other end may have closed it before
		errs = append(errs, n.stream.await(endPatience))
	}
	if n.dir != "" {
		_, err := n.run(n.sudo+"rm -rf "+quote(n.dir), nil)
		var gone *ssh.OpenChannelError
		if errors.As(err, &gone) || errors.Is(err, net.ErrClosed) {
			err = fmt.Errorf("%s is not reached any more: fallacy heal --on ssh removes what is left there", n.name)
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, n.Close())...)
}

// await waits until the session has ended.
func (s *stream) await(patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case <-s.ended:
		return s.err
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("an agent does not end: %w", ctx.Err()), s.session.Close())
	}
}
