package fallacytest

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/fallacy-dev/fallacy/agent"
	"github.com/fallacy-dev/fallacy/targets/refstore"
)

// agentArg is the test binary's first argument when it is to be a node's agent.
const agentArg = "fallacy-agent"

// hooked tells whether the test binary knows how to be an agent.
var hooked bool

// Program is a command inside the test binary, for a target whose process is
// fallacy.Self followed by its name.
type Program struct {
	Name string
	Main func(args []string) (status int)
}

// Main runs the tests, or is what the test binary was started for: the agent of
// a node, the bundled store, or one of programs. It does not return:
//
//	func TestMain(m *testing.M) { fallacytest.Main(m) }
func Main(m *testing.M, programs ...Program) {
	if len(os.Args) > 1 {
		for _, p := range append(programs, Program{"refstore", refstore.Main}) {
			if os.Args[1] == p.Name {
				os.Exit(p.Main(os.Args[2:]))
			}
		}
		if os.Args[1] == agentArg {
			os.Exit(serve(os.Args[2:]))
		}
	}
	hooked = true
	os.Exit(m.Run())
}

// serve is the agent's main.
func serve(args []string) (status int) {
	flags := flag.NewFlagSet(agentArg, flag.ExitOnError)
	dir := flags.String("dir", "", "directory for the node's data and logs")
	bin := flags.String("bin", "", "where the target's programs are looked for before PATH")
	_ = flags.Parse(args) // it exits
	opts := agent.Options{Dir: *dir, Bin: *bin, Host: "127.0.0.1"}
	if err := agent.Serve(context.Background(), stdio{os.Stdin, os.Stdout}, opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// stdio is the process's own input and output as one stream.
type stdio struct {
	io.Reader
	io.Writer
}

// Close closes the input, at which a reader that waits there returns.
func (s stdio) Close() error { return os.Stdin.Close() }

// needMain ends a test that could not start agents. Without [Main] an agent
// would be this test binary running all its tests once more.
func needMain(t testing.TB, what string) {
	t.Helper()
	if !hooked {
		t.Fatalf("%s starts this test binary again for each node, which has to know: "+
			"add to the package's tests\n\n\tfunc TestMain(m *testing.M) { fallacytest.Main(m) }", what)
	}
}
