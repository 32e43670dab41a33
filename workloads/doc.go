// Package workloads holds the questions that fallacy puts to targets: a
// generator, a client and checkers each, one file a workload.
//
// A workload meets a target through an interface that it names, such as
// [RegisterConn]: any target whose connections have these methods can be asked.
// Methods return errors as [fallacy.Client] wants them: one that wraps
// fallacy.ErrFailed proves that nothing happened, any other proves nothing.
package workloads
