// Package linearizable decides whether each object of a history behaved as if
// its calls had taken effect one at a time, each at some instant between its
// invocation and its completion.
//
//	checker := linearizable.Register()                // read, write and cas, by key
//	checker := linearizable.Check(linearizable.Mutex) // or a model of one's own
//
// A register whose written values are unique is decided exactly and in linear
// time, calls of unknown outcome included, and a violation comes with a few calls
// that prove it, four as a rule. So are registers with versions, [Versioned], and
// sets with add, remove and contains, [Elements]. Where refusals do not tell what
// they saw, where values repeat, and for every [Model], there is a search, within a
// [Budget]; what exceeds it is unknown, never valid.
//
// [Porcupine] takes models written for Porcupine, [ByPorcupine] is its second
// opinion on a [Model], and [Picture] its picture of a violation.
//
// Keys are judged apart and in parallel, the biggest first: a history is
// linearizable if and only if it is for each key.
package linearizable
