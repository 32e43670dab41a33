// Package controller runs a test: it hands out what generators ask for, records
// what happens, and sees to it that whatever was broken is mended.
//
//	err := controller.Run(ctx, test, cluster, controller.Options{Record: journal.Record})
//
// The thinking part is a pure scheduler: state and time in, op out; it starts
// no goroutine and reads no clock. Around it is a thin shell of one goroutine
// per worker and one per nemesis, so that faults overlap.
//
// # The order of a run
//
// Wait until every node is ready; the workload under faults; heal everything
// and verify it; keep the workload going until every node serves again, for a
// bounded time; the workload's final ops. When the context is done the first
// part ends early, and the rest follows all the same.
//
// # What holds
//
//   - An invocation is recorded before it is applied, a completion after it came
//     back. Completions are drained before new invocations are handed out, for
//     otherwise the history would show concurrency that was not there.
//   - After Info a client's process is retired: its number plus the concurrency
//     takes its place, with a fresh client. (These are Jepsen's rules.)
//   - A client that cannot be opened has done nothing: its op completes as Fail.
//   - A client that panics, or does not come back in time, leaves Info.
//   - Worker i talks to node i modulo the number of nodes, for life.
//   - Run returns an error only for trouble of its own: what the target did wrong
//     is in the history.
package controller
