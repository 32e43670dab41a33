package docker

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// loader finds shared libraries as ld.so does, without running anything.
type loader struct {
	cache map[string][]string // by library's name: files, from ld.so.cache
}

// Where ld.so looks when nobody says otherwise: Debian's, Red Hat's and musl's places.
var (
	ldCache     = "/etc/ld.so.cache"
	libraryDirs = []string{
		"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
		"/lib64", "/usr/lib64", "/lib", "/usr/local/lib", "/usr/lib",
	}
)

func newLoader() *loader {
	l := &loader{cache: make(map[string][]string)}
	if cache, err := os.ReadFile(ldCache); err == nil {
		l.cache = parseCache(cache)
	}
	return l
}

// parseCache reads ld.so.cache, in the form that glibc has written since 2.2; of
// what it does not understand it takes nothing.
func parseCache(cache []byte) map[string][]string {
	const header, entry = 48, 24
	found := make(map[string][]string)
	start := bytes.Index(cache, []byte("glibc-ld.so.cache1.1"))
	if start < 0 || len(cache)-start < header {
		return found
	}
	cache = cache[start:]
	text := func(offset uint32) string {
		if int64(offset) >= int64(len(cache)) {
			return ""
		}
		s, _, _ := bytes.Cut(cache[offset:], []byte{0})
		return string(s)
	}
	count := int64(binary.NativeEndian.Uint32(cache[20:]))
	for i := range count {
		at := header + i*entry
		if at+entry > int64(len(cache)) {
			break
		}
		name, path := text(binary.NativeEndian.Uint32(cache[at+4:])), text(binary.NativeEndian.Uint32(cache[at+8:]))
		if name != "" && filepath.IsAbs(path) {
			found[name] = append(found[name], path)
		}
	}
	return found
}

// object is what matters of an ELF file here.
type object struct {
	path    string
	class   elf.Class
	machine elf.Machine
	interp  string
	needed  []string
	dirs    []string // of DT_RUNPATH or DT_RPATH
}

// open reads the ELF file at path; the error wraps errNoELF if it is none.
func openObject(path string) (object, error) {
	f, err := elf.Open(path)
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		return object{}, err
	case err != nil:
		return object{}, fmt.Errorf("%s: %w", path, errNoELF)
	}
	defer f.Close()
	o := object{path: path, class: f.Class, machine: f.Machine}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		text := make([]byte, p.Filesz)
		if _, err := p.ReadAt(text, 0); err != nil {
			return object{}, fmt.Errorf("%s: read its loader's name: %w", path, err)
		}
		o.interp = strings.TrimRight(string(text), "\x00")
	}
	// A static file has none of these.
	o.needed, _ = f.DynString(elf.DT_NEEDED)
	paths, _ := f.DynString(elf.DT_RUNPATH)
	if len(paths) == 0 {
		paths, _ = f.DynString(elf.DT_RPATH)
	}
	origin := filepath.Dir(path)
	for _, p := range paths {
		for dir := range strings.SplitSeq(p, ":") {
			dir = strings.NewReplacer("$ORIGIN", origin, "${ORIGIN}", origin).Replace(dir)
			if filepath.IsAbs(dir) {
				o.dirs = append(o.dirs, filepath.Clean(dir))
			}
		}
	}
	return o, nil
}

// errNoELF is a file that is a program of another kind, or none.
var errNoELF = errors.New("no ELF file")

// closure returns every file that the system loads for the program at path to
// run, the program first: the interpreter of a script, the loader, and libraries.
func (l *loader) closure(path string) ([]string, error) {
	if interp := scriptInterpreter(path); interp != "" {
		rest, err := l.closure(interp)
		return append([]string{path}, rest...), err
	}
	o, err := openObject(path)
	if err != nil {
		return nil, err
	}
	files := []string{path}
	if o.interp != "" {
		files = append(files, o.interp)
	}
	for todo := []object{o}; len(todo) > 0; todo = todo[1:] {
		for _, name := range todo[0].needed {
			lib, err := l.find(name, todo[0])
			if err != nil {
				return nil, err
			}
			if !slices.Contains(files, lib.path) {
				files, todo = append(files, lib.path), append(todo, lib)
			}
		}
	}
	return files, nil
}

// find finds a library for of: in the places that it names itself, in the cache,
// in the usual places.
func (l *loader) find(name string, of object) (object, error) {
	var places []string
	switch {
	case strings.Contains(name, "/"):
		places = []string{name}
	default:
		for _, dir := range of.dirs {
			places = append(places, filepath.Join(dir, name))
		}
		places = append(places, l.cache[name]...)
		for _, dir := range libraryDirs {
			places = append(places, filepath.Join(dir, name))
		}
	}
	for _, p := range places {
		if o, err := openObject(p); err == nil && o.class == of.class && o.machine == of.machine {
			return o, nil
		}
	}
	return object{}, fmt.Errorf("%s needs the library %s, which is not installed", of.path, name)
}

// scriptInterpreter returns what runs the script at path; empty: it is none.
func scriptInterpreter(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := f.Read(head)
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	words, ok := strings.CutPrefix(line, "#!")
	if fields := strings.Fields(words); ok && len(fields) > 0 && filepath.IsAbs(fields[0]) {
		return fields[0]
	}
	return ""
}
