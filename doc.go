// Package fallacy is the vocabulary of a tool that finds out whether a
// distributed system keeps its promises while the world misbehaves.
//
// A [Test] drives clients against a [Target] while each [Nemesis] breaks things
// on purpose, records every [Op], and lets each [Checker] judge the [History].
// The nouns, in the order a reader meets them:
//
//   - [Op] is one event of a run: an operation's invocation or its completion.
//     [Value] is what it carries, [History] is all of them.
//   - [Client] applies operations for one process, over a target's [Conn].
//   - [Generator] decides what to do next; [Chance] is where its choices come from.
//   - [Fault] is one way for a [Cluster] to misbehave, and the cure; a [Nemesis]
//     is a named fault with a schedule.
//   - [Workload] is a question put to a target: generator, client, checkers.
//   - [Checker] is a named function of the history; its [Finding] carries a
//     [Verdict] and the evidence, an [Anomaly] at a time.
//
// A checker is a value, and anybody may write one:
//
//	var NoFives = &fallacy.Checker{
//		Name: "no-fives",
//		Doc:  "nobody reads a five\n\nA read that returns 5 is an anomaly.",
//		Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) { … },
//	}
//
// # The floors
//
// An import goes down, never up, never sideways; layout_test.go holds the code to it.
//
//	floor 4   cmd   fallacytest
//	floor 3   conduct
//	floor 2   workloads   nemesis   targets/*
//	floor 1   generator   checkers/*   controller   results   suite   remote   agent/*   internal/*
//	floor 0   fallacy
//
// This package imports the standard library only and does no I/O.
package fallacy
