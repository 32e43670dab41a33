package results

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/url"
	"sync"

	"github.com/fallacy-dev/fallacy"
)

//go:embed page
var pageFiles embed.FS

// Parts of the page, in the order in which they are put together.
var (
	styles  = []string{"base.css", "report.css", "narrow.css"}
	scripts = []string{"data.js", "index.js", "colours.js", "layout.js", "operations.js", "charts.js", "logs.js", "usage.js", "move.js", "pointer.js", "detail.js", "page.js"}
)

// Report writes a run as one page of HTML that needs nothing else: no network,
// no other file. Logs, which may be nil, lie as <node>/<file>. Whatever the run
// holds is shown as text; a policy inside the page lets no script run but its own.
func Report(w io.Writer, run Run, h fallacy.History, logs fs.FS) error {
	v, err := newView(run, h, logs)
	if err == nil {
		err = v.write(w)
	}
	if err != nil {
		return reporting(run.Name, err)
	}
	return nil
}

func reporting(run string, err error) error { return fmt.Errorf("reporting run %s: %w", run, err) }

// write writes the page.
func (v *view) write(w io.Writer) error {
	var page bytes.Buffer
	if err := templates().ExecuteTemplate(&page, "report.html", v); err != nil {
		return err
	}
	// The templates escape markup. What remains is text that would rearrange its
	// neighbours or is none at all.
	_, err := w.Write(bytes.Map(printableRune, page.Bytes()))
	return err
}

// templates returns all templates of the package, parsed once.
var templates = sync.OnceValue(func() *template.Template {
	functions := template.FuncMap{
		"count": count, "some": some, "lasting": lasting, "moment": moment, "listing": listing, "sentence": sentence, "shorten": shorten, "size": size, "atMost": atMost, "processors": processors, "px": px, "flags": flags, "passages": passages, "slug": slug, "pick": pick, "address": address,
	}
	return template.Must(template.New("").Funcs(functions).ParseFS(pageFiles, "page/*.html"))
})

// picker is a choice of names, in the list of runs.
type picker struct {
	Name   string
	Values []string
}

func pick(name string, values []string) picker { return picker{name, values} }

// address is a path with a query of one name.
func address(path, name, value string) string {
	return path + "?" + url.Values{name: {value}}.Encode()
}

// pageStyle returns a style element with the named files.
func pageStyle(names ...string) template.HTML {
	return template.HTML("<style>\n" + string(pageText(names)) + "</style>")
}

// pageScript returns a script element with the named files, and the policy that
// lets it run and nothing else.
func pageScript(names ...string) (script template.HTML, policy string) {
	text := append([]byte("'use strict';\n"), pageText(names)...)
	sum := sha256.Sum256(text)
	policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; script-src 'sha256-" +
		base64.StdEncoding.EncodeToString(sum[:]) + "'"
	return template.HTML("<script>" + string(text) + "</script>"), policy
}

func pageText(names []string) []byte {
	var all bytes.Buffer
	for _, name := range names {
		text, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			panic(err) // a file that was built in is missing
		}
		all.Write(text)
	}
	return all.Bytes()
}
