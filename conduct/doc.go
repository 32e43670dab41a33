// Package conduct conducts a run from the first agent to the verdict: it opens
// the cluster, starts the target, has the controller run the test, keeps the
// record, brings the logs home, and lets the checkers judge.
//
//	run, dir, err := conduct.Run(ctx, conduct.Trial{Test: test, Nodes: names, Dial: dial, Runs: "runs"})
//
// The error is trouble of fallacy's own; what the target did wrong is in the run.
// The commands and fallacytest are two ways to come here.
package conduct
