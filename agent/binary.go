package agent

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
)

// machines are Go's names of what a binary may be for.
var machines = map[elf.Machine]string{
	elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_386: "386", elf.EM_ARM: "arm",
	elf.EM_RISCV: "riscv64", elf.EM_S390: "s390x", elf.EM_PPC64: "ppc64le",
}

// Inspect returns what machine the agent's program at path is for, or why it
// cannot be carried to a node, where there may be nothing else.
func Inspect(path string) (machine string, err error) {
	f, err := elf.Open(path)
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		return "", fmt.Errorf("read the agent's binary: %w", err)
	case err != nil:
		return "", fmt.Errorf("%s is no Linux binary, and nodes need one: run fallacy on Linux, built with CGO_ENABLED=0", path)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is not static and does not run where there is nothing else: build it with CGO_ENABLED=0 go build ./cmd/fallacy", path)
		}
	}
	return Machine(f.Machine), nil
}

// Machine returns Go's name of what a binary is for.
func Machine(m elf.Machine) string {
	if name := machines[m]; name != "" {
		return name
	}
	return m.String()
}
