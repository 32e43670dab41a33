package results

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
)

// endpoint is an address under /api, and what its page says of it.
type endpoint struct {
	Path    string
	Query   string // what may stand behind it
	Answers string // what comes back
	serve   func(s *server, w http.ResponseWriter, r *http.Request, root *os.Root)
}

// Example is an address that can be opened.
func (e endpoint) Example() string {
	if e.Query == "" {
		return e.Path
	}
	return e.Path + "?" + e.Query
}

// endpoints are all of them. Durations are whole nanoseconds in fields that end
// in _ns, times are RFC 3339, verdicts are "valid", "invalid" and "unknown".
func endpoints() []endpoint {
	return []endpoint{
		{"/api/runs", "", "all runs, newest first: an array of summaries with path, name, target, workload, verdict, ops, anomalies, faults, latency and rate; target=, workload=, fault=, verdict= and search= behind a question mark leave the others out", (*server).apiRuns},
		{"/api/run", "path=refstore-register/20261122T084700.123Z", "run.json of one run: parameters, verdict, findings with every anomaly and its operations", (*server).apiRun},
		{"/api/compare", "a=PATH&b=PATH", "two runs side by side: parameters, checkers, anomalies, latencies, each with a and b", (*server).apiCompare},
		{"/api/trend", "name=refstore/register", "the runs of one target and workload, oldest first, as summaries", (*server).apiTrend},
		{"/api/live", "path=refstore-register/20261122T084700.123Z", "a run in progress as server-sent events: “progress” with counts, rate and faults in force, “found” with the anomalies of the history so far, “done” at its end", (*server).apiLive},
		{"/api/zip", "path=refstore-register/20261122T084700.123Z", "all files of a run as one zip archive", (*server).apiZip},
	}
}

// endpointOf returns the endpoint of a path, without its first slash.
func endpointOf(name string) (endpoint, bool) {
	for _, e := range endpoints() {
		if e.Path == "/"+name {
			return e, true
		}
	}
	return endpoint{}, false
}

// answer sends v as JSON.
func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a reader that went away is no trouble of ours
}

// refuse answers a request under /api that cannot be met.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": strings.Map(printableRune, why)})
}

func (s *server) apiRuns(w http.ResponseWriter, r *http.Request, root *os.Root) {
	wanted, err := wantedBy(r.URL.Query())
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	runs, err := s.shelf.runs(root)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the runs cannot be listed: "+err.Error())
		return
	}
	answer(w, slices.DeleteFunc(runs, func(s Summary) bool { return !wanted(s) }))
}

// errNoRun says that a path names no run, for whatever reason: that it lies
// outside is not ours to tell.
var errNoRun = errors.New("there is no such run: give its path as /api/runs has it")

// runAt returns the path of the run that a request names, cleaned.
func runAt(root *os.Root, name string) (string, error) {
	at := strings.Trim(path.Clean("/"+name), "/")
	if strings.Count(at, "/") != 1 {
		return "", errNoRun
	}
	info, err := root.Lstat(path.Join(at, runFile))
	if err != nil || !info.Mode().IsRegular() {
		return "", errNoRun
	}
	return at, nil
}

func loadAt(root *os.Root, name string) (at string, run Run, err error) {
	if at, err = runAt(root, name); err != nil {
		return at, run, err
	}
	if run, err = readRun(root, path.Join(at, runFile)); err != nil {
		return at, run, fmt.Errorf("%s of %s cannot be read: %w", runFile, at, err)
	}
	return at, run, nil
}

func (s *server) apiRun(w http.ResponseWriter, r *http.Request, root *os.Root) {
	_, run, err := loadAt(root, r.FormValue("path"))
	if err != nil {
		refuse(w, http.StatusNotFound, err.Error())
		return
	}
	answer(w, run)
}

func (s *server) apiZip(w http.ResponseWriter, r *http.Request, root *os.Root) {
	at, err := runAt(root, r.FormValue("path"))
	if err != nil {
		refuse(w, http.StatusNotFound, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+safeName(strings.ReplaceAll(at, "/", "-"))+`.zip"`)
	out := zip.NewWriter(w)
	err = fs.WalkDir(root.FS(), at, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() { // what is behind links is not of the run
			return err
		}
		return zipFile(out, root, name)
	})
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // half an archive must not look like a whole one
	}
}

func zipFile(out *zip.Writer, root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: info.ModTime()}
	if strings.HasSuffix(name, ".zst") {
		h.Method = zip.Store
	}
	w, err := out.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, f)
	return err
}
