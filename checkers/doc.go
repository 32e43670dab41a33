// Package checkers judges histories: one promise a file, each a function that
// returns a [fallacy.Checker].
//
//	judgements := checkers.Judge(ctx, history, []*fallacy.Checker{
//		checkers.Set(),
//		checkers.Stats(),
//		checkers.Coverage([]string{"partition", "kill"}),
//	}, checkers.Options{})
//
// [Set], [Counter], [Queue], [Mutex], [Lock], [Log], [Bank] and others each hold one
// kind of object to its promise; [Causal], [Sessions], [LongFork] and others hold
// one to a weaker promise than linearizability. [Convergence], [Availability] and
// [Deadlines] ask how replicas, nodes and clients fared. [Stats], [Coverage],
// [Recovery] and [Crashes] say how the run went: whether a pass means anything.
// [All] lists them; [Judge] asks as many as one likes, whatever they say. The Doc of
// each says what the history's values are.
//
// Real time, for all of them, is the order of the ops in the history: a call
// precedes another if its completion stands before the other's invocation. A
// call that completed as info, or never, may take effect at any later time.
//
// Linearizability of registers and of models of one's own is in package
// linearizable, transactions are in package txn.
package checkers
