package agent

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent/proc"
)

// Image is what the image that a node was made from says of how its program is
// to be run. The zero Image says nothing.
type Image struct {
	Entrypoint []string `json:",omitempty"`
	Cmd        []string `json:",omitempty"`
	Dir        string   `json:",omitempty"` // working directory
	User       string   `json:",omitempty"` // name or number, with a group behind a colon
}

// spec says how the target is to be run on this node. A command that begins
// with a flag, or none at all, is for the image's own program.
func (a *Agent) spec(p fallacy.Process) (proc.Spec, error) {
	spec := proc.Spec{
		Argv: slices.Clone(p.Argv), Env: append(os.Environ(), p.Env...), Dir: a.dataDir(),
		Output: filepath.Join(a.logDir(), "output.log"),
	}
	if len(p.Argv) == 0 || strings.HasPrefix(p.Argv[0], "-") {
		image := a.opts.Image
		if spec.Argv = slices.Concat(image.Entrypoint, p.Argv); len(p.Argv) == 0 {
			spec.Argv = slices.Concat(image.Entrypoint, image.Cmd)
		}
		if len(image.Entrypoint) == 0 || len(spec.Argv) == 0 {
			return spec, fmt.Errorf("the target has no program for %q, and the image no entrypoint", p.Argv)
		}
		if spec.Dir = image.Dir; spec.Dir == "" {
			spec.Dir = "/"
		}
		if err := os.MkdirAll(spec.Dir, 0o755); err != nil {
			return spec, fmt.Errorf("the image's working directory: %w", err)
		}
		owner, err := credential(image.User)
		if err != nil {
			return spec, fmt.Errorf("the image's user %q: %w", image.User, err)
		}
		spec.User = owner
	}
	if spec.Argv[0] == fallacy.Self {
		self, err := os.Executable()
		if err != nil {
			return spec, fmt.Errorf("find fallacy's own binary: %w", err)
		}
		spec.Argv[0] = self
	}
	if a.opts.Bin != "" {
		spec.Env = append(spec.Env, "PATH="+a.opts.Bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		if own := filepath.Join(a.opts.Bin, spec.Argv[0]); filepath.Base(spec.Argv[0]) == spec.Argv[0] && isProgram(own) {
			spec.Argv[0] = own
		}
	}
	return spec, nil
}

// started says what spec came to.
func started(spec proc.Spec) Started {
	s := Started{Argv: spec.Argv, Dir: spec.Dir, Program: spec.Argv[0]}
	if path, err := exec.LookPath(spec.Argv[0]); err == nil {
		s.Program = path
	}
	if spec.User != nil {
		s.User = fmt.Sprintf("%d:%d", spec.User.Uid, spec.User.Gid)
	}
	return s
}

func isProgram(path string) bool {
	_, err := exec.LookPath(path)
	return err == nil
}

// credential finds a user by name or number; nil: whoever the agent is.
func credential(text string) (*syscall.Credential, error) {
	name, group, _ := strings.Cut(text, ":")
	if name == "" || os.Getuid() != 0 {
		return nil, nil
	}
	uid, gid := name, "0"
	if u, err := user.Lookup(name); err == nil {
		uid, gid = u.Uid, u.Gid
	} else if u, err := user.LookupId(name); err == nil {
		gid = u.Gid
	}
	if g, err := user.LookupGroup(group); err == nil {
		gid = g.Gid
	} else if group != "" {
		gid = group
	}
	u, err := strconv.ParseUint(uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("there is no user %q", name)
	}
	g, err := strconv.ParseUint(gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("there is no group %q", group)
	}
	return &syscall.Credential{Uid: uint32(u), Gid: uint32(g)}, nil
}

// own gives the data directory to the user that the target runs as.
func (a *Agent) own(user *syscall.Credential) error {
	if user == nil {
		return nil
	}
	return filepath.WalkDir(a.dataDir(), func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(user.Uid), int(user.Gid))
	})
}
