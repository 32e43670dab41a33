// Package txn judges histories of transactions: which consistency models they
// rule out, and why.
//
// [Append] is for transactions that append unique elements to lists and read
// them whole. A read shows the order of all appends to its key up to then, so
// that who came before whom can be read off the history. [Register] is for
// transactions that write and read registers, where less is plain. Dependencies
// between transactions are a graph, and a cycle in it is an anomaly that Adya
// named. [Options] say which of the [Models] must be kept.
//
//	finding, err := txn.AppendWith(txn.Options{Models: []string{"snapshot-isolation"}}).Check(ctx, history)
//
// A history is taken in once and kept in constant memory for each micro-op: a list
// that was read is a place in the order of its key. Verdicts are exact and found
// in polynomial time, near-linear if there is little to be found; nothing is given
// up after a time. The algorithms are Elle's (Kingsbury and Alvaro, 2020) but for
// the search for cycles.
package txn
