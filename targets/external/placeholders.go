package external

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/fallacy-dev/fallacy"
)

// view is what placeholders can name.
type view struct {
	Node    string                       // its name: n1
	Index   int                          // its place among the nodes, from 1
	Dir     string                       // its directory, on the node
	Here    string                       // the directory of the description, on this machine
	Listen  map[string]string            // by port's name: where the node is to listen
	Public  map[string]string            // by port's name: where clients reach it
	Peers   map[string]map[string]string // by node's and port's name: where the node reaches the others
	Cluster []member                     // all nodes as this one reaches them, itself included
}

// member is a node as another one reaches it.
type member struct {
	Name string
	At   map[string]string // by port's name
}

// Members lists the nodes as n1=ADDRESS,n2=ADDRESS, by their addresses on a port.
func (v view) Members(port string) (string, error) {
	var all []string
	for _, m := range v.Cluster {
		addr, ok := m.At[port]
		if !ok {
			return "", fmt.Errorf("there is no port %q", port)
		}
		all = append(all, m.Name+"="+addr)
	}
	return strings.Join(all, ","), nil
}

// viewOf is what n's placeholders stand for.
func (f *File) viewOf(n fallacy.Node, cluster []fallacy.Node) view {
	v := view{
		Node: n.Name, Dir: n.Dir, Here: f.dir, Listen: n.Listen, Public: n.Public, Peers: n.Peers,
		Index: 1 + slices.IndexFunc(cluster, func(m fallacy.Node) bool { return m.Name == n.Name }),
	}
	for _, m := range cluster {
		at := n.Peers[m.Name]
		if m.Name == n.Name {
			at = n.Listen
		}
		v.Cluster = append(v.Cluster, member{m.Name, at})
	}
	return v
}

// example is a view with everything in it, to try placeholders on.
func example(f *File) view {
	at := make(map[string]string)
	for _, p := range f.Ports {
		at[p] = "127.0.0.1:1"
	}
	return view{
		Node: "n1", Index: 1, Dir: "/dir", Here: f.dir, Listen: at, Public: at,
		Peers: map[string]map[string]string{"n2": at}, Cluster: []member{{"n1", at}, {"n2", at}},
	}
}

// expand replaces the placeholders of text.
func expand(text string, v view) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err == nil {
		var b strings.Builder
		if err = t.Execute(&b, v); err == nil {
			return b.String(), nil
		}
	}
	return "", fmt.Errorf("%s: there are {{.Node}}, {{.Index}}, {{.Dir}}, {{.Here}}, {{.Listen.PORT}}, {{.Public.PORT}}, "+
		"{{.Members \"PORT\"}}, and {{range .Cluster}}{{.Name}} {{.At.PORT}} {{end}}: %s",
		text, reason(err))
}

// reason is what a template's error says, without the names of Go's.
func reason(err error) string {
	_, text, found := strings.Cut(err.Error(), `executing "" `)
	if !found {
		return strings.TrimPrefix(err.Error(), "template: ")
	}
	text, _, _ = strings.Cut(text, " in type ")
	return text
}

// expandAll replaces the placeholders of all texts.
func expandAll(texts []string, v view) ([]string, error) {
	all := make([]string, len(texts))
	for i, text := range texts {
		var err error
		if all[i], err = expand(text, v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// expandEnv replaces the placeholders of an environment, and sorts it by name.
func expandEnv(env map[string]string, v view) ([]string, error) {
	var all []string
	for name, text := range env {
		value, err := expand(text, v)
		if err != nil {
			return nil, err
		}
		all = append(all, name+"="+value)
	}
	slices.Sort(all)
	return all, nil
}

// program finds a program that runs on this machine: by name in PATH, or by a
// path relative to the description.
func (f *File) program(name string) (string, error) {
	if strings.Contains(name, "/") && !filepath.IsAbs(name) && !strings.Contains(name, "{{") {
		name = filepath.Join(f.dir, name)
	}
	if strings.Contains(name, "{{") {
		return name, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: install it, or give its path", err)
	}
	return path, nil
}
