package results

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fallacy-dev/fallacy"
)

// fieldComments returns what the code of a directory says behind the fields of
// its structs, by type and field.
func fieldComments(t *testing.T, dir string, into map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	must(t, err)
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		must(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if st, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range st.Fields.List {
					for _, id := range field.Names {
						text := field.Comment.Text()
						if text == "" {
							text = field.Doc.Text()
						}
						into[spec.Name.Name+"."+id.Name] = strings.Join(strings.Fields(text), " ")
					}
				}
			}
			return true
		})
	}
}

// describe writes a table of each type's fields, and fails for those that nobody describes.
func describe(t *testing.T, typ reflect.Type, comments map[string]string, out *strings.Builder, seen map[reflect.Type]bool) {
	t.Helper()
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Map {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ] || !strings.Contains(typ.PkgPath(), "fallacy") || typ == reflect.TypeFor[fallacy.Value]() {
		return
	}
	seen[typ] = true
	fmt.Fprintf(out, "\n## %s\n\n| field | type | what it is |\n|---|---|---|\n", typ.Name())
	var below []reflect.Type
	row := func(owner reflect.Type, f reflect.StructField) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		text := comments[owner.Name()+"."+f.Name]
		if text == "" {
			t.Errorf("%s.%s, %q in JSON, is described nowhere: comment it", owner.Name(), f.Name, name)
		}
		kind := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(f.Type.String(), "results.", ""), "fallacy.", ""), "time.", "")
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", name, kind, text)
		below = append(below, f.Type)
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		if !f.Anonymous {
			row(typ, f)
			continue
		}
		for k := range f.Type.NumField() {
			row(f.Type, f.Type.Field(k))
		}
	}
	for _, b := range below {
		describe(t, b, comments, out, seen)
	}
}

const resultsDoc = `# results.json

Everything that the report says, for programs. It is written beside report.html;
it holds all of run.json, which older runs have alone: ` + "`fallacy report RUN`" + ` makes the
other two again. Durations are whole nanoseconds in fields that end in _ns, times
are RFC 3339, verdicts are "valid", "invalid" and "unknown". Fields that are empty
may be left out. This page is made from the code, by a test.
`

func TestResultsAreDescribed(t *testing.T) {
	comments := make(map[string]string)
	fieldComments(t, "..", comments)
	fieldComments(t, ".", comments)
	var out strings.Builder
	out.WriteString(resultsDoc)
	describe(t, reflect.TypeFor[Results](), comments, &out, make(map[reflect.Type]bool))
	const path = "../docs/results.md"
	if *rewrite {
		must(t, os.MkdirAll("../docs", 0o755))
		must(t, os.WriteFile(path, []byte(out.String()), 0o644))
	}
	text, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(string(text), out.String()); diff != "" {
		t.Errorf("%s is out of date: go test ./results -run Described -rewrite (-there +should be):\n%s", path, diff)
	}
}

func TestResultsHoldWhatThePageSays(t *testing.T) {
	for bug, want := range plantedBugs {
		d, run, h := plantedRun(t, bug)
		v, err := newView(run, h, d.Logs())
		must(t, err)
		text, err := json.Marshal(v.results)
		must(t, err)
		var r Results
		must(t, json.Unmarshal(text, &r))
		said := strings.Join(append([]string{r.Headline}, r.Lead...), " ")
		if !strings.Contains(said, want.broke) || !strings.Contains(said, want.meanwhile) || r.Verdict != fallacy.Invalid || r.Name != run.Name {
			t.Errorf("%s: %s", bug, said)
		}
		if len(r.Stories) != v.Anomalies || len(r.Stories[0].Calls) == 0 || len(r.ByNode) != len(run.Nodes) || len(r.Leaders) == 0 || len(r.Names) == 0 || len(r.Functions) == 0 {
			t.Errorf("%s: %d stories, %d nodes, %d leaders", bug, len(r.Stories), len(r.ByNode), len(r.Leaders))
		}
		if len(r.Episodes) != len(v.Episodes) {
			t.Errorf("%s: %d episodes", bug, len(r.Episodes))
		}
	}
}
