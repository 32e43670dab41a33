package docker

import (
	"archive/tar"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tree is files of this machine, at the same places in an image. Symbolic links
// on the way to a file are part of it, and stay what they are.
type tree struct {
	entries map[string]entry // by path without the leading slash
}

// entry is a file, a directory or a link.
type entry struct {
	mode fs.FileMode
	link string // where a symbolic link leads
	from string // file that the content is read from
	text []byte // the content, where there is no file
}

// linksMax bounds how many links may lead to a file.
const linksMax = 40

func newTree() *tree { return &tree{entries: make(map[string]entry)} }

// put adds a file that is not on this machine.
func (t *tree) put(path, text string, mode fs.FileMode) {
	path = strings.TrimPrefix(path, "/")
	t.parents(path)
	t.entries[path] = entry{mode: mode, text: []byte(text)}
}

// mkdir adds a directory.
func (t *tree) mkdir(path string, mode fs.FileMode) {
	path = strings.TrimPrefix(path, "/")
	t.parents(path)
	t.entries[path] = entry{mode: fs.ModeDir | mode}
}

func (t *tree) parents(path string) {
	for dir := filepath.Dir(path); dir != "." && dir != "/"; dir = filepath.Dir(dir) {
		if _, ok := t.entries[dir]; !ok {
			t.entries[dir] = entry{mode: fs.ModeDir | 0o755}
		}
	}
}

// add adds the file or the directory at path, an absolute one, with all that is
// in it and with the links that lead to it.
func (t *tree) add(path string) error {
	end, err := t.follow(path)
	if err != nil {
		return err
	}
	return filepath.WalkDir(end, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Type()&fs.ModeSymlink != 0 && p != end:
			// One that leads nowhere is a link all the same.
			if _, err := t.follow(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			target, err := os.Readlink(p)
			t.entries[p[1:]] = entry{mode: fs.ModeSymlink | 0o777, link: target}
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			t.mkdir(p, info.Mode().Perm())
			return nil
		}
		if !info.Mode().IsRegular() {
			return nil // a socket, a pipe: nobody can pack it
		}
		t.parents(p[1:])
		t.entries[p[1:]] = entry{mode: info.Mode().Perm(), from: p}
		return nil
	})
}

// follow adds the links on the way to path, and returns where it ends.
func (t *tree) follow(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("%s is no absolute path", path)
	}
	todo := strings.Split(strings.Trim(filepath.Clean(path), "/"), "/")
	at := "/"
	for links := 0; len(todo) > 0; {
		next := filepath.Join(at, todo[0])
		todo = todo[1:]
		info, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > linksMax {
			return "", fmt.Errorf("%s: too many links", path)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return "", err
		}
		t.parents(next[1:])
		t.entries[next[1:]] = entry{mode: fs.ModeSymlink | 0o777, link: target}
		if filepath.IsAbs(target) {
			at = "/"
		}
		todo = append(strings.Split(strings.Trim(filepath.Clean(target), "/"), "/"), todo...)
	}
	return at, nil
}

// paths are those of all entries, what is above before what is below.
func (t *tree) paths() []string { return slices.Sorted(maps.Keys(t.entries)) }

// digest is of everything in the tree.
func (t *tree) digest() (string, error) {
	sum := sha256.New()
	for _, path := range t.paths() {
		e := t.entries[path]
		fmt.Fprintf(sum, "%q %v %q ", path, e.mode, e.link)
		if err := e.copyTo(sum); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

func (e entry) copyTo(w io.Writer) error {
	if e.from == "" {
		_, err := w.Write(e.text)
		return err
	}
	f, err := os.Open(e.from)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// write writes the tree as a tar archive.
func (t *tree) write(w io.Writer) error {
	out := tar.NewWriter(w)
	for _, path := range t.paths() {
		e := t.entries[path]
		h := &tar.Header{Name: path, Mode: int64(e.mode.Perm()), Size: int64(len(e.text))}
		switch {
		case e.mode.IsDir():
			h.Typeflag, h.Name = tar.TypeDir, path+"/"
			if e.mode&fs.ModeSticky != 0 {
				h.Mode |= 0o1000
			}
		case e.link != "":
			h.Typeflag, h.Linkname = tar.TypeSymlink, e.link
		case e.from != "":
			info, err := os.Stat(e.from)
			if err != nil {
				return err
			}
			h.Typeflag, h.Size = tar.TypeReg, info.Size()
		default:
			h.Typeflag = tar.TypeReg
		}
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := e.copyTo(out); err != nil {
			return fmt.Errorf("pack %s: %w", path, err)
		}
	}
	return out.Close()
}
