// Package suite runs many tests from one file, and says what came of them all.
//
// A [File] is a matrix of tests in YAML; [File.Cases] are the single tests. A
// [Runner] does them, several at a time, and keeps an [Outcome] of each in a
// [Dir], from which an interrupted suite goes on and several shards are joined.
// A [Summary] judges the outcomes against what was expected, counts how often a
// test fails, and compares that to an earlier summary.
//
// The package knows nothing of how a test is run: whoever calls it does.
package suite
