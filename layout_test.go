package fallacy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fallacy-dev/fallacy"

// floors is the picture in doc.go: the first element of a package's path below
// the module, and its floor. An import goes to a lower floor or stays inside
// its own package's directory.
var floors = map[string]int{
	"":          0,
	"generator": 1, "checkers": 1, "controller": 1, "results": 1, "remote": 1, "agent": 1, "internal": 1, "suite": 1,
	"workloads": 2, "nemesis": 2, "targets": 2,
	"conduct": 3,
	"cmd":     4, "fallacytest": 4,
}

// exceptions are imports that climb or go sideways all the same, with the reason.
var exceptions = map[[2]string]string{
	{"remote", "agent"}:             "it speaks the agent's protocol",
	{"remote/remotetest", "remote"}: "it tests every remote's clusters, for their test files",
}

// allowedInRoot matches what the standard library's import paths look like:
// no dot in the first element, hence no host.
var allowedInRoot = regexp.MustCompile(`^[a-z0-9/]+$`)

// source is a parsed non-test Go file of the module.
type source struct {
	path string // slash-separated, below the module
	fset *token.FileSet
	file *ast.File
}

func (s source) dir() string {
	if d := path.Dir(s.path); d != "." {
		return d
	}
	return ""
}

func (s source) at(n ast.Node) string { return s.fset.Position(n.Pos()).String() }

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "runs" || d.Name() == "examples") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(p), fset, f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found %d files: the test looks in the wrong place", len(all))
	}
	return all
}

func shelf(dir string) string {
	first, _, _ := strings.Cut(dir, "/")
	return first
}

// climbs returns why a package in dir may not import the package at target, or "".
func climbs(dir, target string) string {
	if dir == target || strings.HasPrefix(target, dir+"/") && dir != "" {
		return ""
	}
	from, to := shelf(dir), shelf(target)
	for _, pair := range [][2]string{{from, to}, {dir, target}} {
		if _, ok := exceptions[pair]; ok {
			return ""
		}
	}
	low, known := floors[to]
	if !known {
		return "nobody gave that directory a floor: add it to floors in layout_test.go"
	}
	high, known := floors[from]
	switch {
	case !known:
		return "nobody gave this directory a floor: add it to floors in layout_test.go"
	case from == "cmd" && to == "cmd":
		return ""
	case low > high:
		return "that is a higher floor: pass in what is needed as a value or a small interface"
	case low == high:
		return "that is the same floor: let cmd bring the two together"
	}
	return ""
}

func TestImportsGoDown(t *testing.T) {
	for _, s := range sources(t) {
		for _, imp := range s.file.Imports {
			p := strings.Trim(imp.Path.Value, `"`)
			own := p == module || strings.HasPrefix(p, module+"/")
			if s.dir() == "" && (own || !allowedInRoot.MatchString(p)) {
				t.Errorf("%s: the root imports %s: the standard library only", s.at(imp), p)
			}
			if !own {
				continue
			}
			target := strings.TrimPrefix(strings.TrimPrefix(p, module), "/")
			if why := climbs(s.dir(), target); why != "" {
				t.Errorf("%s: %s imports %s: %s", s.at(imp), s.dir(), target, why)
			}
		}
	}
}

func TestClimbsIsNotBlind(t *testing.T) {
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"checkers", "controller", false},
		{"checkers", "", true},
		{"checkers", "checkers/txn", true},
		{"checkers/txn", "checkers", false},
		{"controller", "workloads", false},
		{"targets/refstore", "workloads", false},
		{"remote", "agent", true},
		{"remote/remotetest", "remote", true},
		{"remote/docker", "remote", false},
		{"agent", "remote", false},
		{"agent", "agent/clock", true},
		{"workloads", "generator", true},
		{"cmd", "targets/refstore", true},
		{"", "cmd", false},
		{"pkg", "", false},
	} {
		if got := climbs(c.from, c.to) == ""; got != c.ok {
			t.Errorf("%q may import %q: got %v, want %v", c.from, c.to, got, c.ok)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no doc comment: say what it is, its shapes, units and errors", s.at(d), name)
			}
		}
	}
}

func undocumented(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					if n.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
		return names
	}
	return nil
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// sourcesOfRand are the functions of math/rand and math/rand/v2 that make a
// generator from a seed; everything else at top level draws from hidden state.
var sourcesOfRand = []string{"New", "NewPCG", "NewChaCha8", "NewZipf", "NewSource", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}

// clocksAllowed are the files among the clock-free packages that read one all
// the same, with the reason.
var clocksAllowed = map[string]string{
	"checkers/judge.go": "it measures how long each checker takes",
}

// clockFree are the packages whose code reads no clock: time is an argument.
var clockFree = []string{"", "generator", "checkers", "nemesis", "workloads"}

func TestForbiddenCalls(t *testing.T) {
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: init: nothing registers itself here; add a line to the catalogue", s.at(n))
			}
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			id, ok := sel.X.(*ast.Ident)
			if !ok || id.Obj != nil {
				return true
			}
			imported := importedAs(s.file, id.Name)
			switch {
			case (imported == "math/rand" || imported == "math/rand/v2") && !slices.Contains(sourcesOfRand, sel.Sel.Name):
				t.Errorf("%s: %s.%s draws from hidden state: draw from the run's Chance", s.at(n), id.Name, sel.Sel.Name)
			case imported == "time" && sel.Sel.Name == "Sleep":
				t.Errorf("%s: time.Sleep is no synchroniser: wait for the condition, with a timer and a context", s.at(n))
			case imported == "time" && sel.Sel.Name == "Now" && slices.Contains(clockFree, shelf(s.dir())) && clocksAllowed[s.path] == "":
				t.Errorf("%s: time.Now: this package reads no clock; take the time as an argument", s.at(n))
			}
			return true
		})
	}
}

// importedAs returns the path that the file imports under name.
func importedAs(f *ast.File, name string) string {
	for _, imp := range f.Imports {
		p := strings.Trim(imp.Path.Value, `"`)
		base := path.Base(p)
		if base == "v2" {
			base = path.Base(path.Dir(p))
		}
		if imp.Name != nil && imp.Name.Name == name || imp.Name == nil && base == name {
			return p
		}
	}
	return ""
}

// linesMax bounds a file; a longer one has a second idea in it.
const linesMax = 400

func TestFilesAndFunctionsAreShort(t *testing.T) {
	for _, s := range sources(t) {
		file := s.fset.File(s.file.Pos())
		if n := file.LineCount(); n > linesMax {
			t.Errorf("%s has %d lines: split it at %d", s.path, n, linesMax)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := file.Line(f.End()) - file.Line(f.Pos()) + 1; n > 70 {
				t.Errorf("%s: %s has %d lines: at most 70", s.at(f), f.Name.Name, n)
			}
		}
	}
}
