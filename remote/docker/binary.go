package docker

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// machines are Go's names of what a binary may be for.
var machines = map[elf.Machine]string{
	elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm",
	elf.EM_RISCV: "riscv64", elf.EM_S390: "s390x", elf.EM_PPC64: "ppc64le",
}

// inspectBinary returns what machine the program at path is for, or why it
// cannot run in an empty container.
func inspectBinary(path string) (machine string, err error) {
	f, err := elf.Open(path)
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		return "", fmt.Errorf("read the agent's binary: %w", err)
	case err != nil:
		return "", fmt.Errorf("%s is no Linux binary, and containers need one: run fallacy on Linux, built with CGO_ENABLED=0", path)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is not static and does not run in an empty container: build it with CGO_ENABLED=0 go build ./cmd/fallacy", path)
		}
	}
	if machine = machines[f.Machine]; machine == "" {
		machine = f.Machine.String()
	}
	return machine, nil
}

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
	if machines[f.Machine] != machine {
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
