package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fallacy-dev/fallacy"
)

// hostTree is what the programs of a target that are installed on this machine
// need to run somewhere else.
func hostTree(target fallacy.Image) (*tree, error) {
	if len(target.Programs) == 0 {
		return nil, errors.New("--image host packs programs that are installed here, and the target names none")
	}
	t, l := newTree(), newLoader()
	t.mkdir("/tmp", fs.ModeSticky|0o777)
	t.mkdir("/root", 0o700)
	t.put("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", 0o644)
	t.put("/etc/group", "root:x:0:\nnogroup:x:65534:\n", 0o644)
	for _, name := range target.Programs {
		path, err := exec.LookPath(name)
		if err != nil {
			return nil, &notInstalledError{name}
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		end, err := t.follow(path)
		if err != nil {
			return nil, err
		}
		files, err := l.closure(end)
		if err != nil {
			return nil, fmt.Errorf("pack %s, as it is installed here: %w", name, err)
		}
		for _, f := range files {
			if err := t.add(f); err != nil {
				return nil, fmt.Errorf("pack %s, as it is installed here: %w", name, err)
			}
		}
		// Whatever directory it was found in, it is found in PATH there as well.
		if dir := filepath.Dir(path); !strings.Contains(":"+imagePath+":", ":"+dir+":") {
			t.parents("usr/local/bin/" + name)
			t.entries["usr/local/bin/"+name] = entry{mode: fs.ModeSymlink | 0o777, link: path}
		}
	}
	for _, f := range target.Files {
		if err := t.add(f); err != nil {
			return nil, fmt.Errorf("pack what the target needs besides its programs: %w", err)
		}
	}
	return t, nil
}

// imagePath is PATH where an image does not say.
const imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// notInstalledError is a program that PATH does not have.
type notInstalledError struct{ program string }

func (e *notInstalledError) Error() string {
	return fmt.Sprintf("%s is not installed on this machine, so it cannot be packed: install it, or name an image with --image or a program with --binary", e.program)
}
