// Command own is fallacy with a target, a workload, a checker and a fault more.
package main

import (
	"os"

	"github.com/fallacy-dev/fallacy/cmd"
)

func main() {
	catalogue := cmd.Builtin()
	catalogue.Targets = append(catalogue.Targets, Invoices)
	catalogue.Workloads = append(catalogue.Workloads, Numbers)
	catalogue.Faults = append(catalogue.Faults, Rolling)
	os.Exit(cmd.Main(catalogue))
}
