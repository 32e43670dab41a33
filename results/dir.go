package results

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Names of the files of a run.
const (
	runFile     = "run.json"
	historyFile = "history.jsonl"
	packedFile  = "history.jsonl.zst"
	reportFile  = "report.html"
	resultsFile = "results.json"
	nodesDir    = "nodes"
	latestLink  = "latest"
)

// timeLayout is a run's start as its directory's name: it sorts by time.
const timeLayout = "20060102T150405.000Z"

// Dir is the directory of one run.
type Dir struct {
	path    string
	journal *os.File // open while the run goes on
	line    []byte   // reused by Record
	broken  error    // after a Record that failed
}

// Create makes the directory of a new run, root/<target>-<workload>/<UTC time>,
// and points root's and its parent's latest at it. Runs that start within one
// millisecond, in whatever process, get directories of their own. A file system
// without symbolic links does without latest.
func Create(root, name string, started time.Time) (*Dir, error) {
	parent := filepath.Join(root, safeName(strings.ReplaceAll(name, "/", "-")))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("creating a run's directory: %w", err)
	}
	stamp, err := unique(started.UTC().Format(timeLayout), func(name string) error {
		return os.Mkdir(filepath.Join(parent, name), 0o755)
	})
	if err != nil {
		return nil, fmt.Errorf("creating a run's directory: %w", err)
	}
	d := &Dir{path: filepath.Join(parent, stamp)}
	if err := os.Mkdir(filepath.Join(d.path, nodesDir), 0o755); err != nil {
		return nil, fmt.Errorf("creating a run's directory: %w", err)
	}
	d.journal, err = os.OpenFile(filepath.Join(d.path, historyFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("creating a run's history: %w", err)
	}
	link(filepath.Join(parent, latestLink), stamp)
	link(filepath.Join(root, latestLink), filepath.Join(filepath.Base(parent), stamp))
	return d, nil
}

// unique calls create with name, then with name-2, name-3 and so on until one
// does not exist yet, and returns that.
func unique(name string, create func(name string) error) (string, error) {
	try := name
	for n := 2; ; n++ {
		err := create(try)
		if err == nil {
			return try, nil
		}
		if !errors.Is(err, fs.ErrExist) || n > 10_000 {
			return "", err
		}
		ext := filepath.Ext(name)
		if strings.HasSuffix(ext, "Z") { // the fraction of a time
			ext = ""
		}
		try = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, ext), n, ext)
	}
}

// link makes at a symbolic link to target, replacing an older one at once, so
// that a reader never finds none. Its errors do not matter: the run is there.
func link(at, target string) {
	temp := fmt.Sprintf("%s.%s.tmp", at, filepath.Base(target))
	if os.Symlink(target, temp) != nil {
		return
	}
	if os.Rename(temp, at) != nil {
		_ = os.Remove(temp)
	}
}

// Open opens the directory of a run that is over, or was cut short. A link to
// one, such as latest, is followed.
func Open(path string) (*Dir, error) {
	remedy := "give the directory of one run, such as runs/latest"
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening run %s: there is no such directory: %s", path, remedy)
	}
	if err != nil {
		return nil, fmt.Errorf("opening run %s: %w", path, err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return nil, fmt.Errorf("opening run %s: %w", path, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("opening run %s: it is a file: %s", path, remedy)
	}
	for _, name := range []string{runFile, historyFile, packedFile} {
		if _, err := os.Stat(filepath.Join(real, name)); err == nil {
			return &Dir{path: real}, nil
		}
	}
	if _, err := os.Lstat(filepath.Join(real, latestLink)); err == nil {
		remedy = "give one of them, such as " + filepath.Join(path, latestLink)
		return nil, fmt.Errorf("opening run %s: it holds runs and is not one: %s", path, remedy)
	}
	return nil, fmt.Errorf("opening run %s: it is not a run, as it has neither %s nor a history: %s", path, runFile, remedy)
}

// Path returns where the directory is.
func (d *Dir) Path() string { return d.path }

// Logs returns what the nodes' processes wrote, as <node>/<file>.
func (d *Dir) Logs() fs.FS { return logsOnly{d.nodes()} }

// logsOnly hides what lies beside the logs.
type logsOnly struct{ fs.FS }

// ReadDir is [fs.ReadDir], without the samples.
func (l logsOnly) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(l.FS, name)
	return slices.DeleteFunc(all, func(e fs.DirEntry) bool { return e.Name() == samplesFile }), err
}

// nodes returns all that was collected of nodes, as <node>/<file>.
func (d *Dir) nodes() fs.FS {
	path := filepath.Join(d.path, nodesDir)
	if _, err := os.Stat(path); err != nil {
		return embed.FS{} // nothing was collected
	}
	return os.DirFS(path)
}
