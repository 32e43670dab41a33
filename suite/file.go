package suite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// File is a suite as its file says it.
type File struct {
	Name     string
	Parallel int           // slots: tests at a time, if each takes one
	Budget   time.Duration // after which no test is started; 0: there is none
	Repeat   int           // of each test, with another seed each time
	Retries  int           // of a test that could not be set up
	Seed     uint64        // from which tests without a seed draw theirs

	defaults test
	tests    []test
	path     string
	tree     *ast.File
}

// test is an entry of the file.
type test struct {
	at      string // YAML path
	matrix  []axis
	include []values
	exclude []values
	values
}

// axis is a key of a matrix with its values, in the file's order.
type axis struct {
	key    string
	values []string
}

// values are keys with one value each.
type values map[string]string

// Parse reads a suite's file. Flags are the names of what a test can be told
// besides the keys that are this package's own: those of "fallacy run". An
// error names the line and the column.
func Parse(path string, text []byte, flags []string) (*File, error) {
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, yamlError(path, err)
	}
	f := &File{path: path, tree: tree}
	var raw struct {
		Name     string          `yaml:"name"`
		Parallel int             `yaml:"parallel"`
		Budget   string          `yaml:"budget"`
		Repeat   int             `yaml:"repeat"`
		Retries  *int            `yaml:"retries"`
		Seed     uint64          `yaml:"seed"`
		Defaults yaml.MapSlice   `yaml:"defaults"`
		Tests    []yaml.MapSlice `yaml:"tests"`
	}
	inJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, yamlError(path, err)
	}
	if err := f.conforms(inJSON, flags); err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalWithOptions(text, &raw, yaml.UseOrderedMap()); err != nil {
		return nil, yamlError(path, err)
	}
	f.Name, f.Parallel, f.Repeat, f.Retries, f.Seed = raw.Name, max(1, raw.Parallel), max(1, raw.Repeat), 1, max(1, raw.Seed)
	if raw.Retries != nil {
		f.Retries = *raw.Retries
	}
	if raw.Budget != "" {
		if f.Budget, err = time.ParseDuration(raw.Budget); err != nil {
			return nil, f.errorAt("$.budget", "%q is no duration: write it as in 20m or 1h30m", raw.Budget)
		}
	}
	f.defaults = readTest(raw.Defaults, "$.defaults")
	for i, t := range raw.Tests {
		f.tests = append(f.tests, readTest(t, fmt.Sprintf("$.tests[%d]", i)))
	}
	return f, nil
}

// readTest reads an entry, which is known to conform to the schema.
func readTest(entry yaml.MapSlice, at string) test {
	t := test{at: at, values: make(values)}
	for _, item := range entry {
		key := item.Key.(string)
		switch key {
		case "matrix":
			for _, a := range item.Value.(yaml.MapSlice) {
				name := a.Key.(string)
				t.matrix = append(t.matrix, axis{name, scalars(a.Value)})
			}
		case "include", "exclude":
			var sets []values
			for _, one := range item.Value.([]any) {
				set := make(values)
				for _, v := range one.(yaml.MapSlice) {
					set[v.Key.(string)] = scalar(v.Value)
				}
				sets = append(sets, set)
			}
			if key == "include" {
				t.include = sets
			} else {
				t.exclude = sets
			}
		default:
			t.values[key] = scalar(item.Value)
		}
	}
	return t
}

func scalars(v any) (all []string) {
	for _, one := range v.([]any) {
		all = append(all, scalar(one))
	}
	return all
}

// scalar is a value as a flag takes it: lists are separated by commas.
func scalar(v any) string {
	if list, ok := v.([]any); ok {
		return strings.Join(scalars(list), ",")
	}
	if s, ok := v.(string); ok {
		return s
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// errorAt is an error with the place of a YAML path.
func (f *File) errorAt(at, format string, args ...any) error {
	return fmt.Errorf("%s%s: %s", f.path, f.position(at), fmt.Sprintf(format, args...))
}

// position returns ":LINE:COLUMN" of a YAML path, or of what is left of it.
func (f *File) position(at string) string {
	for at != "" {
		path, err := yaml.PathString(at)
		if err == nil {
			if node, err := path.FilterFile(f.tree); err == nil && node != nil && node.GetToken() != nil {
				token := node.GetToken()
				if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
					token = m.Values[0].Key.GetToken()
				}
				return fmt.Sprintf(":%d:%d", token.Position.Line, token.Position.Column)
			}
		}
		cut := max(strings.LastIndexByte(at, '.'), strings.LastIndexByte(at, '['))
		at = at[:max(0, cut)]
	}
	return ""
}

// yamlError is a YAML error with its place as editors read it, and without the
// picture of the file that follows it.
func yamlError(path string, err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if at, rest, ok := strings.Cut(strings.TrimPrefix(line, "["), "] "); ok && strings.HasPrefix(line, "[") {
		return fmt.Errorf("%s:%s: %s", path, at, rest)
	}
	return fmt.Errorf("%s: %s", path, line)
}

// own are the keys of a test that are not flags of a run.
func own() []string {
	return []string{"name", "target", "workload", "expect", "anomalies", "slots", "matrix", "include", "exclude"}
}

// inMatrix are the keys that a matrix can vary besides flags.
func inMatrix(key string) bool {
	return !slices.Contains([]string{"name", "matrix", "include", "exclude"}, key)
}
