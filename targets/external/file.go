package external

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// File is a target as its file describes it.
type File struct {
	Name     string   `yaml:"name"`     // of the target; the file's own, unless it is said
	Doc      string   `yaml:"doc"`      // first a title line, then a blank line, then the manual page
	Workload string   `yaml:"workload"` // that is run unless another is asked for
	Ports    []string `yaml:"ports"`    // that a node listens on; client, unless it is said
	Image    string   `yaml:"image"`    // that containers are made from
	Node     Node     `yaml:"node"`     // how a node is started
	Ready    Probe    `yaml:"ready"`    // when it serves: a connection to the port client, unless it is said
	Leader   Probe    `yaml:"leader"`   // which nodes lead
	Version  Probe    `yaml:"version"`  // which version a node runs: the last line of the answer, or of the output
	Client   Program  `yaml:"client"`   // who applies the operations

	path string
	dir  string // that the file lies in
	tree *ast.File
}

// Node says how a node's process is started. Everything but Copy may have
// placeholders.
type Node struct {
	Argv  []string          `yaml:"argv"`
	Env   map[string]string `yaml:"env"`
	Copy  []string          `yaml:"copy"`  // text files, relative to the description, that go to the node's directory
	Files map[string]string `yaml:"files"` // further files there, with their content
	Logs  []string          `yaml:"logs"`  // files there that are brought home
	Crash []string          `yaml:"crash"` // regular expressions of lines in logs that mean a crash
}

// Probe asks a node something, one way of three. Its texts may have placeholders.
type Probe struct {
	TCP     string   `yaml:"tcp"`     // a connection to the port of this name stays open
	HTTP    string   `yaml:"http"`    // a GET of this URL is answered with a status from 200 to 299
	Command []string `yaml:"command"` // this program, run beside fallacy, exits with 0
}

// Program is a program that is run beside fallacy, in the directory of the
// description. Argv and Env may have placeholders.
type Program struct {
	Argv []string          `yaml:"argv"`
	Env  map[string]string `yaml:"env"`
}

// Load reads the description at path, which is YAML or JSON. An error names line
// and column, and says what to do.
func Load(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the description of a target: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	f := &File{path: path, dir: dir}
	if f.tree, err = parser.ParseBytes(text, 0); err != nil {
		return nil, f.misread(err)
	}
	if err := yaml.UnmarshalWithOptions(text, f, yaml.Strict()); err != nil {
		return nil, f.misread(err)
	}
	if f.Name == "" {
		f.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	if f.Doc == "" {
		f.Doc = "a system of your own\n\nDescribed by " + path + "."
	}
	if len(f.Ports) == 0 {
		f.Ports = []string{"client"}
	}
	if f.Ready.empty() {
		f.Ready.TCP = "client"
	}
	return f, f.validate()
}

// validate finds what nobody could run, all of it at once.
func (f *File) validate() error {
	var errs []error
	complain := func(at, format string, args ...any) { errs = append(errs, f.errorAt(at, format, args...)) }
	if strings.ContainsAny(f.Name, "/\\ \t\n") {
		complain("$.name", "%q is no name: leave out spaces and slashes", f.Name)
	}
	if !slices.Contains(f.Ports, "client") {
		complain("$.ports", "the ports are %s: one of them has to be client, which clients connect to", strings.Join(f.Ports, ", "))
	}
	if len(f.Node.Argv) == 0 && f.Image == "" {
		complain("$.node", "it is not said how a node is started: set argv, as in\n  argv: [./server, --listen, \"{{.Listen.client}}\"]")
	}
	if len(f.Client.Argv) == 0 {
		complain("$.client", "there is no client: set argv to a program that applies operations, as in\n  argv: [python3, client.py]")
	} else if _, err := f.program(f.Client.Argv[0]); err != nil {
		complain("$.client.argv[0]", "%v", err)
	}
	for _, p := range []struct {
		at string
		Probe
	}{{"$.ready", f.Ready}, {"$.leader", f.Leader}, {"$.version", f.Version}} {
		if err := p.validate(f.Ports); err != nil {
			complain(p.at, "%v", err)
		}
	}
	if f.Version.TCP != "" {
		complain("$.version.tcp", "a connection says nothing of a version: use http or command")
	}
	for i, pattern := range f.Node.Crash {
		if _, err := regexp.Compile(pattern); err != nil {
			complain(fmt.Sprintf("$.node.crash[%d]", i), "%v", err)
		}
	}
	for i, name := range f.Node.Copy {
		if _, err := f.carried(name); err != nil {
			complain(fmt.Sprintf("$.node.copy[%d]", i), "%v", err)
		}
	}
	for name := range f.Node.Files {
		if !filepath.IsLocal(name) {
			complain("$.node.files", "%q is not inside the node's directory: use a relative path without ..", name)
		}
	}
	f.texts(func(at, text string) {
		if _, err := expand(text, example(f)); err != nil {
			complain(at, "%v", err)
		}
	})
	return errors.Join(errs...)
}

// texts calls yield with every text that may have placeholders.
func (f *File) texts(yield func(at, text string)) {
	list := func(at string, all []string) {
		for i, text := range all {
			yield(fmt.Sprintf("%s[%d]", at, i), text)
		}
	}
	named := func(at string, all map[string]string) {
		for name, text := range all {
			yield(at+"."+name, text)
		}
	}
	list("$.node.argv", f.Node.Argv)
	named("$.node.env", f.Node.Env)
	named("$.node.files", f.Node.Files)
	list("$.client.argv", f.Client.Argv)
	named("$.client.env", f.Client.Env)
	for at, p := range map[string]Probe{"$.ready": f.Ready, "$.leader": f.Leader, "$.version": f.Version} {
		yield(at+".http", p.HTTP)
		list(at+".command", p.Command)
	}
}

func (p Probe) empty() bool { return p.TCP == "" && p.HTTP == "" && len(p.Command) == 0 }

func (p Probe) validate(ports []string) error {
	ways := 0
	for _, is := range []bool{p.TCP != "", p.HTTP != "", len(p.Command) > 0} {
		if is {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("there are several ways to ask: keep one of tcp, http and command")
	case p.TCP != "" && !slices.Contains(ports, p.TCP):
		return fmt.Errorf("tcp names the port %q, and the ports are %s", p.TCP, strings.Join(ports, ", "))
	}
	return nil
}

// carried is the content of a file that goes to the nodes.
func (f *File) carried(name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("%q is not below the directory of the description: move it there", name)
	}
	text, err := os.ReadFile(filepath.Join(f.dir, name))
	switch {
	case err != nil:
		return "", err
	case !utf8.Valid(text):
		return "", fmt.Errorf("%s is no text: programs come by image, by --binary, or as {{.Here}}/%s on this machine", name, name)
	}
	return string(text), nil
}

// errorAt is an error with the place of a YAML path.
func (f *File) errorAt(at, format string, args ...any) error {
	return fmt.Errorf("%s%s: %s", f.path, f.position(at), fmt.Sprintf(format, args...))
}

// position returns ":LINE:COLUMN" of a YAML path, or of what is left of it.
func (f *File) position(at string) string {
	for strings.Contains(at, ".") {
		if path, err := yaml.PathString(at); err == nil {
			if node, err := path.FilterFile(f.tree); err == nil && node != nil && node.GetToken() != nil {
				token := node.GetToken()
				if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
					token = m.Values[0].Key.GetToken()
				}
				return fmt.Sprintf(":%d:%d", token.Position.Line, token.Position.Column)
			}
		}
		at = at[:max(strings.LastIndexByte(at, '.'), strings.LastIndexByte(at, '['))]
	}
	return ":1:1"
}

// misread is a YAML error with its place as editors read it.
func (f *File) misread(err error) error {
	var unknown *yaml.UnknownFieldError
	line, _, _ := strings.Cut(err.Error(), "\n")
	if at, rest, ok := strings.Cut(strings.TrimPrefix(line, "["), "] "); ok && strings.HasPrefix(line, "[") {
		line = at + ": " + rest
	}
	if errors.As(err, &unknown) {
		line += ": there are name, doc, workload, ports, image; node with argv, env, copy, files, logs, crash; ready and leader with tcp, http or command; version with http or command; client with argv, env"
	}
	return fmt.Errorf("%s:%s", f.path, line)
}
