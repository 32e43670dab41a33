package txn

import (
	"context"

	"github.com/fallacy-dev/fallacy"
)

const appendDoc = `transactions on lists keep a consistency model

For transactions of appends and reads, with elements that are unique for a key:
txn [["append","x",1],["r","y",null]]. If no model is asked for, it is strict
serializability: they behave as if one at a time, in real time.

About single transactions, with Elle's names:

  garbage-read        a read has an element that nobody ever appended
  duplicate-elements  a read has an element twice
  incompatible-order  of two reads of a key neither is the beginning of the other
  G1a                 a read has an element of a transaction that failed
  G1b                 a read ends amid what another transaction appended
  dirty-update        an element was appended after one of a transaction that failed
  internal            a read disagrees with the transaction's own earlier steps
  future-read         a transaction read what it appended only later
  lost-update         several read the same version of a key and then wrote it

About how they depend on each other: the longest read of a key is the order of
its appends, from which follows who appended next to (ww), read (wr) or did not
yet see (rw) whose append. Cycles are G0 (ww alone), G1c (with wr), G-single-item
(one rw: a fractured read), G-nonadjacent-item (several, never two in a row),
G2-item (two in a row: write skew), and each with -process or -realtime if it
needs the order of a process, or that one transaction had ended before another
was invoked: a stale read is G-single-item-realtime. Of each set of transactions
that depend on each other in circles, one short cycle is shown for each name that
no other name found there implies.

The details say which consistency models are ruled out, and which may still hold.

It cannot see predicates, nor in which order what nobody reads was appended. It is
exact otherwise: what is not found is not in what the reads show. If lists
disagree, their orders, and cycles that follow from them, are the longest ones'.

Source: Adya, Weak Consistency, 1999; Kingsbury and Alvaro, Elle, 2020.`

// Append returns the checker of list-append transactions, which asks for strict
// serializability.
func Append() *fallacy.Checker { return AppendWith(Options{}) }

// AppendWith returns the checker of list-append transactions that asks for what
// the options say. Of a history that it cannot judge, for elements that are not
// unique or other functions, the verdict is unknown, with the reason.
// Options that are not valid make it return an error. The details of a finding
// are [Details].
func AppendWith(o Options) *fallacy.Checker {
	return &fallacy.Checker{Name: "append", Doc: appendDoc, Check: func(ctx context.Context, h fallacy.History) (fallacy.Finding, error) {
		return check(ctx, h, "append", o)
	}}
}
