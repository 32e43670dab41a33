package suite

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"mark":    func(s Status) string { return marks[s] },
	"class":   func(s Status) string { return strings.ReplaceAll(string(s), " ", "-") },
	"came":    came,
	"seconds": func(d time.Duration) string { return d.Round(time.Second).String() },
	"percent": func(f float64) string { return fmt.Sprintf("%.1f", 100*f) },
	"report":  func(o Outcome) string { return filepath.ToSlash(filepath.Join(o.Dir, "report.html")) },
	"again":   func(o Outcome) string { return "fallacy run " + strings.Join(o.Args(), " ") },
}).Parse(pageText))

// WritePage writes a page of one file over all tests, with links to the runs'
// reports, whose directories are relative to the page.
func (s Summary) WritePage(w io.Writer) error { return page.Execute(w, s) }

// Finish writes what the directory's outcomes come to, for programs and for
// people, beside them.
func (d *Dir) Finish(s Summary) error {
	if err := d.saveJSON(summaryFile, s); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := s.WritePage(&text); err != nil {
		return err
	}
	return writeFile(filepath.Join(d.path, pageFile), text.Bytes())
}

// relative is a path as seen from the directory.
func (d *Dir) relative(path string) string { return relative(d.path, path) }

func relative(dir, path string) string {
	if path == "" {
		return ""
	}
	from, err1 := filepath.Abs(dir)
	to, err2 := filepath.Abs(path)
	if rel, err := filepath.Rel(from, to); err1 == nil && err2 == nil && err == nil {
		return rel
	}
	return path
}
