// Command fallacy finds out whether a distributed system keeps its promises
// while the world misbehaves. See fallacy --help.
package main

import (
	"os"

	"github.com/fallacy-dev/fallacy/cmd"
)

func main() { os.Exit(cmd.Main(cmd.Builtin())) }
