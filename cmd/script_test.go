package cmd_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/fallacy-dev/fallacy/cmd"
	"github.com/rogpeppe/go-internal/testscript"
)

// The test binary is the command: for scripts under that name, and for the
// agents and stores that it starts by its own path.
func TestMain(m *testing.M) {
	fallacy := func() { os.Exit(cmd.Main(cmd.Builtin())) }
	if filepath.Base(os.Args[0]) == "fallacy" {
		fallacy() // by the name that a link gives it
	}
	if len(os.Args) > 1 && (os.Args[1] == "agent" || os.Args[1] == "refstore") {
		fallacy()
	}
	testscript.Main(m, map[string]func(){"fallacy": fallacy})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: false,
		Condition: func(cond string) (bool, error) {
			if program, ok := map[string]string{"etcd": "etcd", "redis": "redis-server"}[cond]; ok {
				return installed(cond, program)
			}
			return cond == "long" && !testing.Short() || cond == "docker" && haveDocker() || cond == "sshd" && haveSSHD(), nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"chop":   chop,
			"exits":  exits,
			"alone":  alone,
			"signal": signalProcess,
			"until":  until,
			"static": static,
			"sshds":  sshds,
		},
		Setup: func(env *testscript.Env) error {
			// Agents keep their workspaces where the test looks for leftovers.
			env.Setenv("TMPDIR", env.WorkDir+"/tmp")
			return os.Mkdir(env.WorkDir+"/tmp", 0o755)
		},
	})
}
