// Package cmd is the fallacy command as a package: anybody can build one with
// more targets, workloads and checkers in it.
//
//	func main() {
//		catalogue := cmd.Builtin()
//		catalogue.Checkers = append(catalogue.Checkers, mine)
//		os.Exit(cmd.Main(catalogue))
//	}
//
// It knows every other package and decides nothing: it brings together what was
// asked for, runs it, and says how it went.
package cmd
