package external

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fallacy-dev/fallacy"
	"github.com/fallacy-dev/fallacy/fallacytest"
	"github.com/fallacy-dev/fallacy/internal/require"
	"github.com/fallacy-dev/fallacy/workloads"
)

func TestMain(m *testing.M) { fallacytest.Main(m) }

func described(t *testing.T, text string) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path)
	if err != nil {
		err = errors.New(strings.ReplaceAll(err.Error(), filepath.Dir(path)+"/", ""))
	}
	return f, err
}

const sound = `
node: {argv: [sleep, "1000"]}
client: {argv: [cat]}
`

func TestBadFilesSayWhere(t *testing.T) {
	for text, want := range map[string]string{
		"node: [":                               "mine.yaml:1:",
		sound + "port: [a]":                     `mine.yaml:4:1: unknown field "port": there are name`,
		sound + "name: a/b":                     `mine.yaml:4:7: "a/b" is no name`,
		sound + "ports: [peer]":                 "mine.yaml:4:8: the ports are peer: one of them has to be client",
		sound + "ready: {tcp: x}":               `mine.yaml:4:9: tcp names the port "x"`,
		sound + "ready: {tcp: client, http: x}": "mine.yaml:4:9: there are several ways to ask",
		sound + "leader: {http: '{{.Nod}}'}":    "mine.yaml:4:16: {{.Nod}}: there are {{.Node}}",
		"client: {argv: [cat]}":                 "mine.yaml:1:1: it is not said how a node is started",
		"node: {argv: [sleep]}":                 "mine.yaml:1:1: there is no client",
		"node: {argv: [a, '{{.Listen.peer}}']}\nclient: {argv: [cat]}": "mine.yaml:1:18: {{.Listen.peer}}",
		"node: {argv: [a], copy: [../b]}\nclient: {argv: [cat]}":       "mine.yaml:1:26:",
		"node: {argv: [a], copy: [b]}\nclient: {argv: [cat]}":          "no such file",
		"node: {argv: [a], crash: ['(']}\nclient: {argv: [cat]}":       "missing closing )",
		"node: {argv: [a]}\nclient: {argv: [./nobody.py]}":             "mine.yaml:2:17: exec:",
	} {
		if _, err := described(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestPlaceholdersAndFiles(t *testing.T) {
	f, err := described(t, `{"name": "kv", "workload": "set", "ports": ["client", "peer"], "image": "kv:1",
		"node": {"argv": ["kv", "{{.Members \"peer\"}}", "{{.Index}}"], "env": {"B": "{{.Node}}", "A": "1"},
			"files": {"etc/conf": "dir={{.Dir}}"}, "copy": ["mine.yaml"], "logs": ["x.log"]},
		"client": {"argv": ["cat"]}}`)
	if err != nil {
		t.Fatal(err)
	}
	made, err := f.Kind().New(fallacy.TargetOptions{Nodes: 2})
	if err != nil {
		t.Fatal(err)
	}
	at := func(port string) map[string]string {
		return map[string]string{"client": "c" + port, "peer": "p" + port}
	}
	n1 := fallacy.Node{Name: "n1", Listen: at("1"), Peers: map[string]map[string]string{"n2": at("2")}}
	n2 := fallacy.Node{Name: "n2", Dir: "/d", Listen: at("2"), Peers: map[string]map[string]string{"n1": at("12")}}
	p, err := made.Process(n2, []fallacy.Node{n1, n2})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(append(p.Argv, p.Env...), " "); got != "kv n1=p12,n2=p2 2 A=1 B=n2" {
		t.Errorf("got %s", got)
	}
	if p.Files["etc/conf"] != "dir=/d" || !strings.Contains(p.Files["mine.yaml"], "kv:1") || p.Logs[0] != "x.log" {
		t.Errorf("got %+v", p)
	}
	if im := made.(fallacy.Images).Image(); im.Name != "kv:1" || im.Programs[0] != "kv" {
		t.Errorf("got %+v", im)
	}
	if _, leads := made.(fallacy.Primaries); leads || f.Workload != "set" {
		t.Errorf("leads: %v, workload %s", leads, f.Workload)
	}
}

func op(f, value string) fallacy.Op {
	v, err := fallacy.ParseValue([]byte(value))
	if err != nil {
		panic(err)
	}
	return fallacy.Op{F: f, Value: v}
}

func TestWhatAnAnswerProves(t *testing.T) {
	read, write, txn := op("read", `["k",null]`), op("write", `["k",5]`), op("txn", `[["r","x",null],["append","x",1]]`)
	for _, c := range []struct {
		op     fallacy.Op
		answer string
		want   fallacy.Type
		says   string // the value, or what is in the error
	}{
		{read, `{"id":3,"type":"ok","value":["k",5]}`, fallacy.OK, `["k",5]`},
		{write, `{"id":3,"type":"ok"}`, fallacy.OK, `["k",5]`},
		{write, `{"id":3,"type":"fail","error":"refused"}`, fallacy.Fail, "refused"},
		{write, `{"id":3,"type":"info","error":"timed out"}`, fallacy.Info, "timed out"},
		{write, `{"id":3,"code":22,"error":"no"}`, fallacy.Fail, "code 22: no"},
		{write, `{"id":3,"type":"error","code":0}`, fallacy.Info, "code 0"},
		{write, `{"id":3,"code":13}`, fallacy.Info, "code 13"},
		{write, `{"id":3,"code":1000}`, fallacy.Info, "code 1000"},
		{txn, `{"id":3,"type":"ok","value":[["r","x",[2]],["append","x",1]]}`, fallacy.OK, `[["r","x",[2]],["append","x",1]]`},

		{write, `{"id":2,"type":"fail"}`, fallacy.Info, `"id" has to be 3`},
		{write, `{"type":"fail"}`, fallacy.Info, `"id" has to be 3`},
		{write, `{"id":3,"typ":"fail"}`, fallacy.Info, "unknown field"},
		{write, `{"id":3,"type":"failed"}`, fallacy.Info, `"type" is "failed"`},
		{write, `{"id":3,"type":"ok","code":22}`, fallacy.Info, "a code says it all"},
		{write, `{"id":3,"type":"fail"}{}`, fallacy.Info, "more than one"},
		{write, `fail`, fallacy.Info, "nonsense"},
		{read, `{"id":3,"type":"ok"}`, fallacy.Info, "what was seen"},
		{read, `{"id":3,"type":"ok","value":5}`, fallacy.Info, `want ["k", …]`},
		{read, `{"id":3,"type":"ok","value":["j",5]}`, fallacy.Info, `want ["k", …]`},
		{write, `{"id":3,"type":"ok","value":["k",6]}`, fallacy.Info, "leave it out"},
		{txn, `{"id":3,"type":"ok","value":[["r","x",[2]]]}`, fallacy.Info, "the 2 micro-ops"},
		{txn, `{"id":3,"type":"ok","value":[["r","x",[2]],["append","x",7]]}`, fallacy.Info, "micro-op 1"},
	} {
		value, err := judge([]byte(c.answer), 3, c.op)
		got, says := fallacy.OK, value.String()
		if err != nil {
			if got, says = fallacy.Info, err.Error(); errors.Is(err, fallacy.ErrFailed) {
				got = fallacy.Fail
			}
		}
		if got != c.want || !strings.Contains(says, c.says) {
			t.Errorf("%s: got %v %s, want %v %s", c.answer, got, says, c.want, c.says)
		}
	}
}

// client is a shell script that is a client, of a node that needs no process.
func client(t *testing.T, script string) fallacy.Target {
	t.Helper()
	f, err := described(t, "node: {argv: [sleep]}\nready: {command: ['true']}\nclient: {argv: [sh, -c, \""+strings.ReplaceAll(script, `"`, `\"`)+"\"]}")
	if err != nil {
		t.Fatal(err)
	}
	made, err := f.Kind().New(fallacy.TargetOptions{Nodes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.(interface{ Close() error }).Close() })
	return made
}

const ready = `echo '{"type":"ready"}'; `

func TestClientsThatMisbehave(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"answers":       {ready + `read q; echo '{"id":1,"type":"ok"}'; cat`, ""},
		"crashes":       {ready + `read q; echo a pity >&2; exit 3`, "the client ended: exit status 3: a pity"},
		"ends":          {ready + `read q`, "the client ended: exit status 0"},
		"is silent":     {ready + `cat >/dev/null`, "did not answer in time"},
		"does not read": {ready + `sleep 1000`, "did not answer in time"},
		"chats":         {ready + `echo hello; cat`, "nonsense"},
		"answers late":  {ready + `echo '{"id":0,"type":"fail"}'; cat`, `"id" has to be 1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := client(t, c.script)
			conn, err := made.Open(t.Context(), fallacy.Node{Name: "n1"})
			if err != nil {
				t.Fatal(err)
			}
			ctx := t.Context()
			if c.want == "did not answer in time" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			_, err = conn.(fallacy.Client).Invoke(ctx, op("write", "1"))
			if errors.Is(err, fallacy.ErrFailed) {
				t.Errorf("%v is taken as proof", err)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClientsThatDoNotStart(t *testing.T) {
	for script, want := range map[string]string{
		`echo no such module >&2; exit 1`: "exit status 1: no such module",
		`echo hello`:                      `its first line has to be {"type":"ready"}: hello`,
	} {
		if err := client(t, script).Ready(t.Context(), fallacy.Node{Name: "n1"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	// One that takes its time is waited for by whoever comes next.
	slow := client(t, `read never </dev/null; until [ -e go ]; do sleep 0.05; done; `+ready+`cat`)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := slow.Open(ctx, fallacy.Node{Name: "n1"}); err == nil || !strings.Contains(err.Error(), "still starting") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(slow.(*target).dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	conn, err := slow.Open(t.Context(), fallacy.Node{Name: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestAConnectionHasToStay(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hangUp := true
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if hangUp {
				c.Close()
				hangUp = false
			}
		}
	}()
	if err := stays(t.Context(), l.Addr().String()); err == nil {
		t.Error("a connection that is closed at once counts as one")
	}
	if err := stays(t.Context(), l.Addr().String()); err != nil {
		t.Error(err)
	}
}

// TestPythonStore holds the example to what a target has to do: its errors are
// put to the proof under kills and pauses.
func TestPythonStore(t *testing.T) {
	if testing.Short() {
		t.Skip("takes fifteen seconds: leave out -short to run the store in Python")
	}
	require.Program(t, "python3", "python3")
	f, err := Load("../../examples/kv/kv.yaml")
	if err != nil {
		t.Fatal(err)
	}
	fallacytest.Target(t, f.Kind(), workloads.Register())
}
