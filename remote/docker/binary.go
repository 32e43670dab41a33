package docker

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
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

// packBinary returns the program at path as a tar archive, to be unpacked at
// the root of a container.
func packBinary(path string) ([]byte, error) {
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the agent's binary: %w", err)
	}
	name := strings.TrimPrefix(agentPath, "/")
	dir, _, _ := strings.Cut(name, "/")
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755})
	if err == nil {
		err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(program))})
	}
	if err == nil {
		_, err = w.Write(program)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("pack the agent's binary: %w", err)
	}
	return out.Bytes(), nil
}
