package results

import (
	"bytes"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
)

// Handler serves the runs below root to a browser:
//
//	/                              all runs, newest first
//	/compare?a=…&b=…               two runs side by side
//	/trend?name=…                  the runs of one target and workload over time
//	/live?path=…                   a run in progress
//	/api                           what there is as JSON, and /api/… itself
//	/<target>-<workload>/<time>/   the files of a run
//	…/report.html                  its report
//
// It reads and never writes. What lies outside root is refused, also behind
// links. But for the report, which this package wrote, files are sent as plain
// text or JSON and never as HTML: what a target wrote is not to run in a browser.
// It asks nobody who they are: put [Local] or [Guarded] before it.
//
// The judge looks at runs in progress; nil: nobody does before their end.
func Handler(root string, judge Judge) http.Handler {
	return &server{root: root, shelf: shelf{known: make(map[string]known)}, judge: judge}
}

type server struct {
	root  string
	shelf shelf
	judge Judge
}

// pageHeaders are on every answer.
var pageHeaders = map[string]string{
	"X-Content-Type-Options": "nosniff",
	"X-Frame-Options":        "DENY",
	"Referrer-Policy":        "no-referrer",
	"Cache-Control":          "no-cache",
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range pageHeaders {
		w.Header().Set(name, value)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	root, err := os.OpenRoot(s.root)
	if err != nil {
		s.sorry(w, http.StatusNotFound, "There is no directory of runs yet. It appears with the first run.")
		return
	}
	defer root.Close()
	name := strings.Trim(path.Clean("/"+r.URL.Path), "/")
	if e, ok := endpointOf(name); ok {
		e.serve(s, w, r, root)
		return
	}
	switch name {
	case "":
		s.index(w, root)
	case "compare":
		s.compare(w, r, root)
	case "trend":
		s.showTrend(w, r, root)
	case "live":
		s.live(w, r, root)
	case "api":
		s.render(w, http.StatusOK, "api.html", indexView{Title: "API", Endpoints: endpoints()})
	default:
		s.file(w, r, root, name)
	}
}

// indexView is what the template of the list shows.
type indexView struct {
	Style, Script  template.HTML
	Policy         string
	Runs           []Summary
	Title, Message string
	Run            string
	Files          []fileRow
	HasReport      bool
	Targets        []string // names of all targets, workloads and faults, to filter by
	Workloads      []string
	Faults         []string
	Comparison     *Comparison
	Trend          []trendBar
	Live           Summary
	Endpoints      []endpoint
}

type fileRow struct {
	Name string
	Size int
}

func (s *server) index(w http.ResponseWriter, root *os.Root) {
	runs, err := s.shelf.runs(root)
	if err != nil {
		s.sorry(w, http.StatusInternalServerError, "The runs cannot be listed: "+err.Error())
		return
	}
	v := indexView{Title: "Runs", Runs: runs}
	for _, r := range runs {
		v.Targets, v.Workloads, v.Faults = append(v.Targets, r.Target), append(v.Workloads, r.Workload), append(v.Faults, r.Faults...)
	}
	v.Targets, v.Workloads, v.Faults = union(v.Targets, nil), union(v.Workloads, nil), union(v.Faults, nil)
	s.render(w, http.StatusOK, "list.html", v)
}

func (s *server) compare(w http.ResponseWriter, r *http.Request, root *os.Root) {
	c, err := s.compared(r, root)
	if err != nil {
		s.sorry(w, http.StatusNotFound, sentence(err.Error()))
		return
	}
	s.render(w, http.StatusOK, "compare.html", indexView{Title: "Two runs", Comparison: &c})
}

func (s *server) showTrend(w http.ResponseWriter, r *http.Request, root *os.Root) {
	runs, err := s.trend(r.FormValue("name"), root)
	if err != nil || len(runs) == 0 {
		s.sorry(w, http.StatusNotFound, "There is no run of that name.")
		return
	}
	s.render(w, http.StatusOK, "trend.html", indexView{Title: runs[0].Name, Runs: runs, Trend: trendOf(runs)})
}

func (s *server) live(w http.ResponseWriter, r *http.Request, root *os.Root) {
	at, run, err := loadAt(root, r.FormValue("path"))
	if err != nil {
		s.sorry(w, http.StatusNotFound, sentence(err.Error()))
		return
	}
	v := indexView{Title: run.Name, Live: summaryOf(run)}
	v.Live.Path = at
	s.render(w, http.StatusOK, "live.html", v)
}

func (s *server) sorry(w http.ResponseWriter, status int, message string) {
	s.render(w, status, "sorry.html", indexView{Title: http.StatusText(status), Message: message})
}

func (s *server) render(w http.ResponseWriter, status int, name string, v indexView) {
	v.Style = pageStyle("base.css", "report.css", "list.css", "narrow.css")
	v.Script, v.Policy = pageScript("list.js", "live.js")
	v.Policy += "; connect-src 'self'"
	w.Header().Set("Content-Security-Policy", v.Policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	var page bytes.Buffer
	if err := templates().ExecuteTemplate(&page, name, v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(bytes.Map(printableRune, page.Bytes())) // a reader that went away is no trouble of ours
}

// file sends a file below root, or lists the files of a run.
func (s *server) file(w http.ResponseWriter, r *http.Request, root *os.Root, name string) {
	f, err := root.Open(name)
	if err != nil {
		// Whatever the reason, also that it lies outside, it is not ours to show.
		s.sorry(w, http.StatusNotFound, "There is nothing at "+shorten(r.URL.Path, 200)+".")
		return
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil || !info.IsDir() && !info.Mode().IsRegular():
		s.sorry(w, http.StatusNotFound, "This is not a file that can be shown.")
	case info.IsDir() && !strings.HasSuffix(r.URL.Path, "/"):
		http.Redirect(w, r, (&url.URL{Path: "/" + name + "/"}).String(), http.StatusMovedPermanently)
	case info.IsDir():
		s.directory(w, root, name)
	default:
		w.Header().Set("Content-Type", contentType(root, name))
		if strings.HasSuffix(name, ".zst") {
			w.Header().Set("Content-Disposition", "attachment")
		}
		http.ServeContent(w, r, "", info.ModTime(), f)
	}
}

// contentType never says HTML but for the report of a run, which stands beside
// its run.json. Below nodes/ there is none: targets put files there.
func contentType(root *os.Root, name string) string {
	dir, base := path.Split(name)
	switch {
	case base == reportFile && !underNodes(name):
		if _, err := root.Lstat(path.Join(dir, runFile)); err == nil {
			return "text/html; charset=utf-8"
		}
	case strings.HasSuffix(base, ".json"):
		return "application/json"
	case strings.HasSuffix(base, ".zst"):
		return "application/zstd"
	}
	return "text/plain; charset=utf-8"
}

func underNodes(name string) bool {
	return strings.HasPrefix(name, nodesDir+"/") || strings.Contains(name, "/"+nodesDir+"/")
}

// directory lists the files of a run, and what else there is below root.
func (s *server) directory(w http.ResponseWriter, root *os.Root, name string) {
	v := indexView{Title: name, Run: name}
	err := fs.WalkDir(root.FS(), name, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case len(v.Files) >= 1000:
			return fs.SkipAll
		case d.Type().IsRegular():
			info, err := d.Info()
			if err != nil {
				return nil // it is gone
			}
			rel := strings.TrimPrefix(at, name+"/")
			v.Files = append(v.Files, fileRow{rel, int(info.Size())})
			v.HasReport = v.HasReport || rel == reportFile
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.SkipAll) {
		s.sorry(w, http.StatusNotFound, "This directory cannot be listed.")
		return
	}
	s.render(w, http.StatusOK, "files.html", v)
}
