package docker

import (
	"bytes"
	"debug/elf"
	"fmt"
	"strings"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/agent"
)

// inspectProgram tells why the program at path cannot be the target's in a container.
func inspectProgram(path, machine string, target fallacy.Image) error {
	if len(target.Programs) == 0 {
		return fmt.Errorf("--binary %s: the target is part of fallacy's own binary and takes no other", path)
	}
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("--binary %s is no Linux program: %w", path, err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("--binary %s is not static and does not run in an empty container: link it statically, or pack what is installed with --image host", path)
		}
	}
	if agent.Machine(f.Machine) != machine {
		return fmt.Errorf("--binary %s is for %s, and Docker runs linux/%s", path, f.Machine, machine)
	}
	return nil
}

// archive returns, as a tar archive to be unpacked at the root of a container,
// the agent's program and the target's if there is one.
func (o Options) archive() ([]byte, error) {
	t := newTree()
	t.parents(agentPath[1:])
	t.entries[agentPath[1:]] = entry{mode: 0o755, from: o.Binary}
	if o.Program != "" {
		path := strings.TrimPrefix(binDir, "/") + "/" + o.Target.Programs[0]
		t.parents(path)
		t.entries[path] = entry{mode: 0o755, from: o.Program}
	}
	var out bytes.Buffer
	if err := t.write(&out); err != nil {
		return nil, fmt.Errorf("pack the agent: %w", err)
	}
	return out.Bytes(), nil
}
